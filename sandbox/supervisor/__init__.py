"""The supervisor of one container: carries out steps in processes of users of their own."""
