"""One offline HTML file a run."""
