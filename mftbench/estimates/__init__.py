"""What a study will take, before it is run: work, memory and time, each with what it rests on."""
