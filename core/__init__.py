"""The nouns of the business and their verbs; knows no other room."""
