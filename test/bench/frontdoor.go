package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	buyers    = 16 // at once
	rounds    = 6  // of sales and of refusals, in turn
	sliceTime = 2 * time.Second
	plenty    = 1 << 30 // more than anybody buys
)

// measureFrontDoor has buyers buy through the whole stack, real processes and all, and counts the sales afterwards. In turn with them others
// ask for a product that is sold out.
func (b *bench) measureFrontDoor(ctx context.Context, s *shop) (section, error) {
	const hot, soldOut = "BENCH-HOT", "BENCH-SOLD-OUT"
	out := section{Title: fmt.Sprintf("Through the front door: POST /checkout, %d buyers at once", buyers)}
	if err := s.stock(ctx, hot, plenty, false); err != nil {
		return out, err
	}
	if err := s.stock(ctx, soldOut, 0, false); err != nil {
		return out, err
	}
	if _, _, err := s.rush(ctx, hot, http.StatusOK, 0); err != nil { // cold starts
		return out, err
	}
	sold := buyers
	var sales, refusals []time.Duration
	var saleRates, refusalRates []float64
	for range rounds {
		latencies, took, err := s.rush(ctx, hot, http.StatusOK, sliceTime)
		if err != nil {
			return out, err
		}
		sold += len(latencies)
		sales, saleRates = append(sales, latencies...), append(saleRates, float64(len(latencies))/took.Seconds())
		b.step()
		if latencies, took, err = s.rush(ctx, soldOut, http.StatusConflict, sliceTime); err != nil {
			return out, err
		}
		refusals, refusalRates = append(refusals, latencies...), append(refusalRates, float64(len(latencies))/took.Seconds())
		b.step()
	}
	if err := s.check(ctx, hot, plenty, sold); err != nil {
		return out, err
	}
	if err := s.check(ctx, soldOut, 0, 0); err != nil {
		return out, err
	}
	saleRate, refusalRate := median(saleRates), median(refusalRates)
	out.Rows = []result{
		{What: "sales", Value: saleRate, Unit: "/s", Note: fmt.Sprintf("%d sold, counted in the database: none lost, none oversold", sold)},
		{What: "sales, p50", Value: milliseconds(quantile(sales, 50)), Unit: "ms"},
		{What: "sales, p99", Value: milliseconds(quantile(sales, 99)), Unit: "ms"},
		{What: "refusals of a product that is sold out", Value: refusalRate, Unit: "/s"},
		{What: "refusals, p50", Value: milliseconds(quantile(refusals, 50)), Unit: "ms"},
		{What: "refusals, p99", Value: milliseconds(quantile(refusals, 99)), Unit: "ms"},
		{What: "refusals for each sale in the same time", Value: refusalRate / saleRate, Unit: "×", Goal: atLeast(1), Note: "a refusal must be cheaper than a sale"},
	}
	return out, nil
}

func quantile(all []time.Duration, p int) time.Duration {
	values := make([]float64, len(all))
	for i, d := range all {
		values[i] = float64(d)
	}
	return time.Duration(percentile(values, p))
}

// rush has buyers buy one after the other, all of them at once, for a time, each at least once. All must get the same status.
func (s *shop) rush(ctx context.Context, sku string, want int, duration time.Duration) (latencies []time.Duration, took time.Duration, err error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: buyers}}
	defer client.CloseIdleConnections()
	body := fmt.Sprintf(`{"sku":%q}`, sku)
	each := make([][]time.Duration, buyers)
	errs := make([]error, buyers)
	began := time.Now()
	var all sync.WaitGroup
	for i := range buyers {
		all.Go(func() {
			for len(each[i]) == 0 || time.Since(began) < duration {
				asked := time.Now()
				if errs[i] = buy(ctx, client, s.api, body, want); errs[i] != nil {
					return
				}
				each[i] = append(each[i], time.Since(asked))
			}
		})
	}
	all.Wait()
	took = time.Since(began)
	for i := range buyers {
		if errs[i] != nil {
			return nil, 0, errs[i]
		}
		latencies = append(latencies, each[i]...)
	}
	return latencies, took, nil
}

func buy(ctx context.Context, client *http.Client, api, body string, want int) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, api+"/checkout", strings.NewReader(body))
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != want {
		return fmt.Errorf("a buyer got %s, want %d: %s", response.Status, want, text)
	}
	return nil
}
