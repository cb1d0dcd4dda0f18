// Package ads switches advertisements with the stock: off while everything that they advertise is
// sold out, and on again when some of it is in stock. Neither sales nor production know this
// package. It is triggered by their messages and reads the stock itself.
package ads

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/google/uuid"
)

// A Status says whether an advertisement is shown.
type Status string

// The statuses of an advertisement.
const (
	On  Status = "on"
	Off Status = "off"
)

// An Advertisement advertises one or more products.
type Advertisement struct {
	ID       uuid.UUID
	Status   Status
	Manager  string   // email address
	Products []string // names
	InStock  bool     // whether any of the products is in stock
}

// wanted returns the status that the advertisement should have.
func (a Advertisement) wanted() Status {
	if a.InStock {
		return On
	}
	return Off
}

// A Store keeps advertisements.
type Store interface {
	// Advertisements lists the advertisements that have at least one product.
	Advertisements(context.Context) ([]Advertisement, error)
	// SwitchAdvertisement changes the status of an advertisement from one to another, and reports
	// whether it did. It changes nothing if the advertisement has another status by now.
	SwitchAdvertisement(ctx context.Context, id uuid.UUID, from, to Status) (bool, error)
}

// A Notifier sends a message to the manager of an advertisement.
type Notifier interface {
	Notify(ctx context.Context, manager, subject, text string) error
}

// A Switcher switches advertisements.
type Switcher struct {
	Store    Store
	Notifier Notifier
	Log      *slog.Logger
}

// Switch switches every advertisement whose status does not match the stock, notifies its manager,
// and returns how many it switched. An advertisement that fails does not stop the others; the next
// call tries it again.
//
// Switch notifies the manager before it switches. If the switch then fails, the manager gets the
// message twice. The other order could switch an advertisement without any message.
func (s Switcher) Switch(ctx context.Context) (switched int, err error) {
	all, err := s.Store.Advertisements(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, a := range all {
		if a.Status == a.wanted() {
			continue
		}
		done, err := s.switchOne(ctx, a)
		if err != nil {
			errs = append(errs, err)
		}
		if done {
			switched++
		}
	}
	return switched, errors.Join(errs...)
}

func (s Switcher) switchOne(ctx context.Context, a Advertisement) (bool, error) {
	to, names := a.wanted(), strings.Join(a.Products, ", ")
	subject := fmt.Sprintf("Advertisement of %s switched %s", names, to)
	text := names + " is sold out. Its advertisement is switched off. The shop switches it on again when stock " +
		"arrives: " +
		"there is nothing to do."
	if to == On {
		text = names + " is in stock again. Its advertisement is switched on: there is nothing to do."
	}
	if err := s.Notifier.Notify(ctx, a.Manager, subject, text); err != nil {
		return false, fmt.Errorf("advertisement of %s: notifying its manager: %w", names, err)
	}
	done, err := s.Store.SwitchAdvertisement(ctx, a.ID, a.Status, to)
	if err != nil {
		return false, fmt.Errorf("advertisement of %s: switching it %s: %w", names, to, err)
	}
	if done {
		s.Log.InfoContext(ctx, "advertisement switched", "advertisement", a.ID, "products", a.Products, "to", to)
	}
	return done, nil
}
