"""What a module can do: its output, its final feature map, its patch tokens, its parts."""
