package main

// commands returns all commands in the order of the help text. Each call returns new ones, because
// a command's flags keep the values of one command line.
func commands() []command {
	return []command{
		productsCommand(), createCommand(), setCommand(), importCommand(), exportCommand(), factoriesCommand(),
		archiveCommand(),
		adjustCommand(), undoCommand(), ledgerCommand(), salesCommand(), reportCommand(),
		ordersCommand(), orderCommand(), openCommand(), cancelCommand(),
		noticesCommand(), watchCommand(), redriveCommand(),
	}
}

// show prints a value as JSON for programs, and as a table for people.
func (s *session) show(value any, table func()) error {
	if s.json {
		return s.encode(s.out, value)
	}
	table()
	return nil
}
