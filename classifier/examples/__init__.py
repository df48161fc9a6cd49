"""Letters, calls and text messages as clients write them, by language and intent."""
