"""The environment core: episodes as pure folds over actions, and the service and stores that keep them."""
