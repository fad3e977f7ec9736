package hipki

import (
	"fmt"

	"github.com/citizencert/citizencert/signin"
)

// settings are what a form tells the page script, in JSON.
type settings struct {
	Component     string                  `json:"component"`
	Request       signin.ComponentRequest `json:"request"`
	Life          int64                   `json:"life"`          // seconds; 0: no limit
	OpenTimeout   int64                   `json:"openTimeout"`   // milliseconds
	AnswerTimeout int64                   `json:"answerTimeout"` // milliseconds
	MinVersion    string                  `json:"minVersion"`

	Texts  map[string]string     `json:"texts"`
	Advice map[adviceName]advice `json:"advice"`
	// Codes name the advice for a ret_code, LastErrors that for a last_error after
	// a card login that failed, by the code in eight hexadecimal digits.
	Codes       map[string]adviceName `json:"codes"`
	LoginFailed string                `json:"loginFailed"`
	LastErrors  map[string]adviceName `json:"lastErrors"`
}

// advice is an Advice in one language.
type advice struct {
	Text string `json:"text"`
	PIN  bool   `json:"pin,omitempty"`
}

func (f *Form) settings() settings {
	cfg := &f.handler.cfg
	s := settings{
		Component:     f.handler.component,
		Request:       f.Request,
		Life:          int64(f.Life.Seconds()),
		OpenTimeout:   cfg.OpenTimeout.Milliseconds(),
		AnswerTimeout: cfg.AnswerTimeout.Milliseconds(),
		MinVersion:    cfg.MinVersion,
		Texts:         make(map[string]string),
		Advice:        make(map[adviceName]advice),
		Codes:         make(map[string]adviceName),
		LoginFailed:   hexCode(loginFailed),
		LastErrors:    make(map[string]adviceName),
	}
	for name, text := range scriptTexts {
		s.Texts[name] = text.In(f.Language)
	}
	for name, a := range advices {
		s.Advice[name] = advice{a.Text.In(f.Language), a.PIN}
	}
	for _, row := range returnCodes {
		// What the script does not find it explains by the same advice.
		if row.advice == cardFailed {
			continue
		}
		for code := range row.codes {
			s.Codes[hexCode(code)] = row.advice
		}
	}
	for code, name := range lastErrors {
		s.LastErrors[hexCode(code)] = name
	}
	return s
}

func hexCode(code signin.ReturnCode) string { return fmt.Sprintf("%08X", uint32(code)) }
