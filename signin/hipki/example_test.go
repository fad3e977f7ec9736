package hipki_test

import (
	"fmt"

	"github.com/citizencert/citizencert/signin/hipki"
)

// The component's answer has a return code and, after a card login that failed, the
// error of the card library.
func ExampleExplain() {
	advice := hipki.Explain(0x76100006, 0x80000001)
	fmt.Println(advice.Class, advice.PIN)
	fmt.Println(advice.Text.ZhTW)
	fmt.Println(advice.Text.En)
	// Output:
	// holder true
	// PIN 碼錯誤，僅剩一次機會；如再次錯誤，卡片將被鎖定。
	// The PIN is wrong and one try is left; another wrong try locks the card.
}
