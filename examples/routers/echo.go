package routers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/citizencert/citizencert/signin"
)

// Echo returns the site on github.com/labstack/echo/v4, which wraps handlers and
// middleware of net/http. What echo calls next is not called for a request that is
// refused, and nothing more is written.
func Echo(auth *signin.Authenticator) http.Handler {
	e := echo.New()
	e.Any("/signin/*", echo.WrapHandler(http.StripPrefix("/signin", auth.LoginHandler())))

	session := echo.WrapMiddleware(auth.Handler)
	e.GET("/account", echo.WrapHandler(http.HandlerFunc(account)), session)

	change := echo.WrapMiddleware(func(next http.Handler) http.Handler { return auth.Require(lately, next) })
	e.POST("/account/change", func(c echo.Context) error {
		s := signin.SessionFrom(c.Request().Context())
		return c.String(http.StatusOK, "signed in with "+string(s.Assurance))
	}, change)
	return e
}
