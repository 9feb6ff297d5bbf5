"""The recipe of `seesay-mini`: fetch permissive art, compose pictures, write questions with true answers, train, measure."""
