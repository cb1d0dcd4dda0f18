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

// A store of advertisements in memory.
type store struct {
	all    []ads.Advertisement
	broken uuid.UUID // cannot be switched
}

func (s *store) Advertisements(context.Context) ([]ads.Advertisement, error) {
	return slices.Clone(s.all), nil
}

func (s *store) SwitchAdvertisement(_ context.Context, id uuid.UUID, from, to ads.Status) (bool, error) {
	if id == s.broken {
		return false, errors.New("the database is away")
	}
	for i := range s.all {
		if s.all[i].ID == id && s.all[i].Status == from {
			s.all[i].Status = to
			return true, nil
		}
	}
	return false, nil
}

// managers keep the messages that they got, as "manager: subject".
type managers struct {
	told   []string
	broken error
}

func (m *managers) Notify(_ context.Context, manager, subject, _ string) error {
	if m.broken == nil {
		m.told = append(m.told, manager+": "+subject)
	}
	return m.broken
}

func switcher(s *store, m *managers) ads.Switcher {
	return ads.Switcher{Store: s, Notifier: m, Log: slog.New(slog.DiscardHandler)}
}

func advertisement(n byte, status ads.Status, inStock bool) ads.Advertisement {
	return ads.Advertisement{ID: uuid.UUID{n}, Status: status, InStock: inStock, Manager: "m" + string('0'+n) + "@example.com", Products: []string{"P" + string('0'+n)}}
}

func TestAdvertisementsFollowTheStockAndManagersAreToldOnce(t *testing.T) {
	s, told := &store{all: []ads.Advertisement{advertisement(1, ads.On, false), advertisement(2, ads.Off, true), advertisement(3, ads.On, true), advertisement(4, ads.Off, false)}}, &managers{}
	for i, want := range []int{2, 0} {
		if got, err := switcher(s, told).Switch(t.Context()); err != nil || got != want {
			t.Errorf("time %d: switched %d, %v; want %d", i+1, got, err, want)
		}
	}
	if want := []string{"m1@example.com: Advertisement of P1 switched off", "m2@example.com: Advertisement of P2 switched on"}; !slices.Equal(told.told, want) {
		t.Errorf("told %q, want %q", told.told, want)
	}
	for i, want := range []ads.Status{ads.Off, ads.On, ads.On, ads.Off} {
		if got := s.all[i].Status; got != want {
			t.Errorf("advertisement %d is %s, want %s", i+1, got, want)
		}
	}
}

func TestOneThatFailsDoesNotKeepTheOthersAndIsDoneTheNextTime(t *testing.T) {
	s, told := &store{all: []ads.Advertisement{advertisement(1, ads.On, false), advertisement(2, ads.On, false)}, broken: uuid.UUID{1}}, &managers{}
	switched, err := switcher(s, told).Switch(t.Context())
	if switched != 1 || err == nil || !strings.Contains(err.Error(), "advertisement of P1: switching it off: the database is away") {
		t.Errorf("switched %d, %v; want one, and an error that names the other", switched, err)
	}
	s.broken = uuid.Nil
	if switched, err := switcher(s, told).Switch(t.Context()); switched != 1 || err != nil {
		t.Errorf("the next time: switched %d, %v; want the one that was left", switched, err)
	}
}

func TestNothingIsSwitchedBehindTheManagersBack(t *testing.T) {
	s, told := &store{all: []ads.Advertisement{advertisement(1, ads.On, false)}}, &managers{broken: errors.New("SNS is down")}
	if switched, err := switcher(s, told).Switch(t.Context()); switched != 0 || err == nil || s.all[0].Status != ads.On {
		t.Errorf("switched %d, %v, status %s; want nothing switched while nobody can be told", switched, err, s.all[0].Status)
	}
}
