package main

import "encoding/json"

// commands are all that can be asked for, in the order in which they are explained. Each is new: its flags are one command line's.
func commands() []command {
	return []command{
		productsCommand(), createCommand(), setCommand(), adjustCommand(), ledgerCommand(),
		ordersCommand(), orderCommand(), openCommand(), cancelCommand(),
		redriveCommand(),
	}
}

// show answers a program with a value, and a person with a table.
func (s *session) show(value any, table func()) error {
	if !s.json {
		table()
		return nil
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
