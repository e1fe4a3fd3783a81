"""Models of intent and slots, their self-training, calibration and measures."""
