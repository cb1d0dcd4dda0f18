// Package ads switches advertisements with the stock: off while what they advertise is sold out, on again when it is not. Neither sales nor
// production know of it: it listens to what they say anyway, and looks at the stock itself.
package ads

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/google/uuid"
)

// A Status is what an advertisement is.
type Status string

const (
	On  Status = "on"
	Off Status = "off"
)

// An Advertisement is one, with what it advertises.
type Advertisement struct {
	ID       uuid.UUID
	Status   Status
	Manager  string // email
	Products []string
	InStock  bool // whether any of the products is
}

// wanted is what the advertisement should be.
func (a Advertisement) wanted() Status {
	if a.InStock {
		return On
	}
	return Off
}

// A Store keeps advertisements.
type Store interface {
	// Advertisements lists those that advertise anything.
	Advertisements(context.Context) ([]Advertisement, error)
	// SwitchAdvertisement changes the status of one, if it still is what it was. It reports whether it did.
	SwitchAdvertisement(ctx context.Context, id uuid.UUID, from, to Status) (bool, error)
}

// A Teller tells an advertisement's manager.
type Teller interface {
	Tell(ctx context.Context, manager, subject, text string) error
}

// A Desk switches advertisements.
type Desk struct {
	Store  Store
	Teller Teller
	Log    *slog.Logger
}

// Switch switches every advertisement that is not what the stock says, and tells its manager. It returns how many it switched. Asked again it
// does what is left to do: one advertisement that fails does not keep the others. The manager is told first: who is told twice is better
// off than who is never told.
func (d Desk) Switch(ctx context.Context) (switched int, err error) {
	all, err := d.Store.Advertisements(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, a := range all {
		if a.Status == a.wanted() {
			continue
		}
		done, err := d.switchOne(ctx, a)
		if err != nil {
			errs = append(errs, err)
		}
		if done {
			switched++
		}
	}
	return switched, errors.Join(errs...)
}

func (d Desk) switchOne(ctx context.Context, a Advertisement) (bool, error) {
	to, names := a.wanted(), strings.Join(a.Products, ", ")
	subject := fmt.Sprintf("Advertisement of %s switched %s", names, to)
	text := names + " is sold out. Its advertisement is switched off, and goes on again by itself when stock arrives: there is nothing to do."
	if to == On {
		text = names + " is in stock again. Its advertisement is switched on: there is nothing to do."
	}
	if err := d.Teller.Tell(ctx, a.Manager, subject, text); err != nil {
		return false, fmt.Errorf("advertisement of %s: telling its manager: %w", names, err)
	}
	done, err := d.Store.SwitchAdvertisement(ctx, a.ID, a.Status, to)
	if err != nil {
		return false, fmt.Errorf("advertisement of %s: switching it %s: %w", names, to, err)
	}
	if done {
		d.Log.InfoContext(ctx, "advertisement switched", "advertisement", a.ID, "products", a.Products, "to", to)
	}
	return done, nil
}
