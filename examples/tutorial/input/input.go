// Package input reads the input of both exercises: {"input": 1}.
package input

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Answer reads {"input": 1} and returns a message with the next number. Its error explains the
// mistake to the sender.
func Answer(text string) (string, error) {
	var given struct {
		Input *int32 `json:"input"` // the next number always fits into an int64
	}
	if err := json.Unmarshal([]byte(text), &given); err != nil || given.Input == nil {
		return "", errors.New(`input 값이 정수가 아닙니다. 이렇게 보내세요: {"input": 1}`)
	}
	return fmt.Sprintf("메시지를 받았습니다. 입력값: %d, 결과: %d", *given.Input, int64(*given.Input)+1), nil
}
