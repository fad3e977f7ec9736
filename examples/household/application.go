package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/citizencert/citizencert/examples/internal/site"
	"github.com/citizencert/citizencert/signin"
)

// The choices of the form, as they are sent.
var (
	kinds    = []string{"full", "part"}
	purposes = []string{"school", "inheritance", "bank", "other"}
)

const maxCopies = 5

// A wish is what a citizen has filled in.
type wish struct {
	NationalID string
	Kind       string
	Purpose    string
	Copies     int
}

// parseWish reads the form through field, which returns a field's value.
func parseWish(field func(string) string) (wish, error) {
	w := wish{
		NationalID: site.NationalID(field("national_id")),
		Kind:       field("kind"),
		Purpose:    field("purpose"),
	}
	var err error
	w.Copies, err = strconv.Atoi(field("copies"))
	if err != nil || w.Copies < 1 || w.Copies > maxCopies || w.NationalID == "" ||
		!slices.Contains(kinds, w.Kind) || !slices.Contains(purposes, w.Purpose) {
		return wish{}, errors.New("the form has a value that its fields do not allow")
	}
	return w, nil
}

// words are those of the text, by the choice and the language.
var words = map[string]signin.Text{
	"full":        {ZhTW: "全戶戶籍謄本", En: "transcript of the whole household"},
	"part":        {ZhTW: "部分戶籍謄本（僅申請人本人）", En: "transcript of the applicant alone"},
	"school":      {ZhTW: "就學", En: "school enrolment"},
	"inheritance": {ZhTW: "辦理繼承", En: "an inheritance"},
	"bank":        {ZhTW: "金融機構開戶", En: "opening a bank account"},
	"other":       {ZhTW: "其他", En: "other"},
}

var consentText = signin.Text{
	ZhTW: `戶籍謄本申請書

申請編號：%[1]s
申請日期：%[2]s
申請人：%[3]s
統一編號：%[4]s
申請項目：%[5]s，%[7]d 份
用途：%[6]s

本人申請核發上列戶籍謄本，並同意測試戶政事務所為此查詢及使用本人之戶籍資料。本同意僅限本次申請。`,
	En: `Application for a household transcript

Application number: %[1]s
Date: %[2]s
Applicant: %[3]s
National ID number: %[4]s
Applied for: %[5]s, copies: %[7]d
Purpose: %[6]s

I apply for the household transcript named above, and consent to the Test Household Registration Office looking up and using my household data for it. This consent is for this application only.`,
}

// newApplication writes the text that a citizen is going to consent to, once: what
// is shown and signed is what is stored here.
func newApplication(subject, name string, w wish, lang signin.Language, now time.Time) *Application {
	number := rand.Text()[:12]
	return &Application{
		Number:   number,
		Subject:  subject,
		Language: lang,
		Text: fmt.Sprintf(consentText.In(lang), number, now.In(taiwan).Format("2006-01-02"), name, w.NationalID,
			words[w.Kind].In(lang), words[w.Purpose].In(lang), w.Copies),
	}
}

// taiwan has had no summer time since 1979, and a fixed zone needs no database on
// the machine.
var taiwan = time.FixedZone("UTC+8", 8*60*60)
