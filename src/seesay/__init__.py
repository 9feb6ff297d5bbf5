"""seesay: ask pictures questions, and train, measure and keep the models that answer."""
