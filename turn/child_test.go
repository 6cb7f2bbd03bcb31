package turn

const childEnv = "PARLEY_TEST_TURN_CHILD"

func runChild() int { return 1 }
