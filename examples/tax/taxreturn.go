package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// Figures are what a citizen declares, in whole dollars (TWD).
type Figures struct {
	Year       int
	Salary     int64
	Interest   int64
	Donations  int64
	Dependents int64
}

// Bounds on what can be declared. The first year is the one whose amounts are
// used below.
const (
	firstYear     = 2024
	maxAmount     = 1_000_000_000_000
	maxDependents = 20
)

var errFigures = errors.New("figures out of range")

// parseFigures reads a form. Empty fields are zero, but for the year.
func parseFigures(value func(name string) string, now time.Time) (Figures, error) {
	var f Figures
	year, err := strconv.Atoi(value("year"))
	if err != nil || year < firstYear || year >= now.Year() {
		return f, errFigures
	}
	f.Year = year
	for _, field := range []struct {
		name string
		to   *int64
		max  int64
	}{
		{"salary", &f.Salary, maxAmount},
		{"interest", &f.Interest, maxAmount},
		{"donations", &f.Donations, maxAmount},
		{"dependents", &f.Dependents, maxDependents},
	} {
		text := value(field.name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > field.max {
			return f, errFigures
		}
		*field.to = n
	}
	return f, nil
}

// The amounts for the income of 2024 (113 年度), for one person who is not
// married. Deductions are simplified: this is an example, not tax advice.
const (
	exemption         = 97_000
	standardDeduction = 131_000
	salaryDeduction   = 218_000
	savingsDeduction  = 270_000
)

// brackets are the upper ends, the rates in percent and the progressive
// differences.
var brackets = []struct{ upTo, percent, difference int64 }{
	{590_000, 5, 0},
	{1_330_000, 12, 41_300},
	{2_660_000, 20, 147_700},
	{4_980_000, 30, 413_700},
	{1 << 62, 40, 911_700},
}

func (f Figures) deductions() int64 {
	return max(standardDeduction, f.Donations) + min(f.Salary, salaryDeduction) + min(f.Interest, savingsDeduction)
}

func (f Figures) taxable() int64 {
	return max(0, f.Salary+f.Interest-(1+f.Dependents)*exemption-f.deductions())
}

func taxOn(taxable int64) int64 {
	for _, b := range brackets {
		if taxable <= b.upTo {
			return taxable*b.percent/100 - b.difference
		}
	}
	panic("unreachable: the last bracket is open")
}

// A document is what the citizen signs, in the order in which it is shown. What
// the signature means stands in it: the certificates of MOICA do not say.
type document struct {
	Form          string `json:"form"`
	Office        string `json:"office"`
	ReturnNumber  string `json:"returnNumber"`
	NationalID    string `json:"nationalID"`
	IncomeYear    int    `json:"incomeYear"`
	Currency      string `json:"currency"`
	Salary        int64  `json:"salary"`
	Interest      int64  `json:"interest"`
	Donations     int64  `json:"donations"`
	Dependents    int64  `json:"dependents"`
	Deductions    int64  `json:"deductions"`
	TaxableIncome int64  `json:"taxableIncome"`
	Tax           int64  `json:"tax"`
	Declaration   string `json:"declaration"`
}

// A Return is a document that waits for its signature, or has one.
type Return struct {
	Number   string
	Account  string
	Document []byte // the exact bytes that are signed
}

// newReturn writes the document of a return. Its number makes it another
// document than every other, so that the same content with the same signer is
// the same filing, and an amendment back to earlier figures is not.
func newReturn(account, nationalID string, f Figures) (*Return, error) {
	r := &Return{Number: rand.Text()[:12], Account: account}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the citizen reads it
	e.SetIndent("", "  ")
	err := e.Encode(document{
		Form:          "individual-income-tax-return/1",
		Office:        "測試稅務所 Example Tax Office",
		ReturnNumber:  r.Number,
		NationalID:    nationalID,
		IncomeYear:    f.Year,
		Currency:      "TWD",
		Salary:        f.Salary,
		Interest:      f.Interest,
		Donations:     f.Donations,
		Dependents:    f.Dependents,
		Deductions:    f.deductions(),
		TaxableIncome: f.taxable(),
		Tax:           taxOn(f.taxable()),
		Declaration:   "本人聲明以上申報內容屬實。I declare that this return is true and complete.",
	})
	r.Document = b.Bytes()
	return r, err
}
