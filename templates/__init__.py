"""What clients read: templates, their placeholders and the documents made of them."""
