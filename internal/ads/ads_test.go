package ads_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"restock/internal/ads"
)

// store keeps advertisements in memory.
type store struct {
	all    []ads.Advertisement
	broken uuid.UUID // the advertisement that cannot be switched
}

func (s *store) Advertisements(context.Context) ([]ads.Advertisement, error) {
	return slices.Clone(s.all), nil
}

func (s *store) SwitchAdvertisement(_ context.Context, id uuid.UUID, from, to ads.Status) (bool, error) {
	if id == s.broken {
		return false, errors.New("the database is down")
	}
	for i := range s.all {
		if s.all[i].ID == id && s.all[i].Status == from {
			s.all[i].Status = to
			return true, nil
		}
	}
	return false, nil
}

// managers records the messages that managers got, as "manager: subject".
type managers struct {
	messages []string
	broken   error
}

func (m *managers) Notify(_ context.Context, manager, subject, _ string) error {
	if m.broken == nil {
		m.messages = append(m.messages, manager+": "+subject)
	}
	return m.broken
}

func switcher(s *store, m *managers) ads.Switcher {
	return ads.Switcher{Store: s, Notifier: m, Log: slog.New(slog.DiscardHandler)}
}

func advertisement(n byte, status ads.Status, inStock bool) ads.Advertisement {
	return ads.Advertisement{ID: uuid.UUID{n}, Status: status, InStock: inStock,
		Manager: "m" + string('0'+n) + "@example.com", Products: []string{"P" + string('0'+n)}}
}

func TestAdvertisementsFollowTheStockAndManagersAreNotifiedOnce(t *testing.T) {
	s, m := &store{all: []ads.Advertisement{
		advertisement(1, ads.On, false), advertisement(2, ads.Off, true),
		advertisement(3, ads.On, true), advertisement(4, ads.Off, false),
	}}, &managers{}
	for i, want := range []int{2, 0} {
		if got, err := switcher(s, m).Switch(t.Context()); err != nil || got != want {
			t.Errorf("call %d: switched %d, %v; want %d", i+1, got, err, want)
		}
	}
	want := []string{"m1@example.com: Advertisement of P1 switched off",
		"m2@example.com: Advertisement of P2 switched on"}
	if !slices.Equal(m.messages, want) {
		t.Errorf("the managers got %q, want %q", m.messages, want)
	}
	for i, want := range []ads.Status{ads.Off, ads.On, ads.On, ads.Off} {
		if got := s.all[i].Status; got != want {
			t.Errorf("advertisement %d is %s, want %s", i+1, got, want)
		}
	}
}

func TestAFailedSwitchDoesNotStopTheOthersAndIsRetried(t *testing.T) {
	s, m := &store{all: []ads.Advertisement{advertisement(1, ads.On, false), advertisement(2, ads.On, false)}},
		&managers{}
	s.broken = uuid.UUID{1}
	const want = "advertisement of P1: switching it off: the database is down"
	if switched, err := switcher(s, m).Switch(t.Context()); switched != 1 || err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("switched %d, %v; want one, and the error %q", switched, err, want)
	}
	s.broken = uuid.Nil
	if switched, err := switcher(s, m).Switch(t.Context()); switched != 1 || err != nil {
		t.Errorf("the next call: switched %d, %v; want the advertisement that failed before", switched, err)
	}
}

func TestNothingIsSwitchedIfTheManagerCannotBeNotified(t *testing.T) {
	s, m := &store{all: []ads.Advertisement{advertisement(1, ads.On, false)}},
		&managers{broken: errors.New("SNS is down")}
	switched, err := switcher(s, m).Switch(t.Context())
	if switched != 0 || err == nil || s.all[0].Status != ads.On {
		t.Errorf("switched %d, %v, status %s; want an error and nothing switched", switched, err, s.all[0].Status)
	}
}
