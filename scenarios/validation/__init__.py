"""Models against the numbers of others: reference sets, the rows quoted here, and how far ours lie from both."""
