package input_test

import (
	"testing"

	"restock/examples/tutorial/input"
)

func TestAnswerHasTheNextNumber(t *testing.T) {
	for text, want := range map[string]string{
		`{"input": 1}`:                     "메시지를 받았습니다. 입력값: 1, 결과: 2",
		`{"input": -1}`:                    "메시지를 받았습니다. 입력값: -1, 결과: 0",
		`{"input": 2147483647}`:            "메시지를 받았습니다. 입력값: 2147483647, 결과: 2147483648",
		` {"input": 10, "other": "field"}`: "메시지를 받았습니다. 입력값: 10, 결과: 11",
	} {
		if got, err := input.Answer(text); got != want || err != nil {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestAnswerRefusesWhatIsNoInteger(t *testing.T) {
	for _, text := range []string{
		"", "1", "null", "{}", `{"input": null}`, `{"input": "10"}`, `{"input": 1.5}`, `{"input": 2147483648}`,
		`{"input": 1`, `{"Input": "1"}`,
	} {
		if got, err := input.Answer(text); err == nil {
			t.Errorf("%q: got %q, want an error", text, got)
		}
	}
}
