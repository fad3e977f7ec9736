package routers

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/citizencert/citizencert/signin"
)

// Gin returns the site on github.com/gin-gonic/gin.
func Gin(auth *signin.Authenticator) http.Handler {
	r := gin.New()
	r.Any("/signin/*path", gin.WrapH(http.StripPrefix("/signin", auth.LoginHandler())))
	r.GET("/account", GinSession(auth.Handler), gin.WrapF(account))

	change := func(next http.Handler) http.Handler { return auth.Require(lately, next) }
	r.POST("/account/change", GinSession(change), func(c *gin.Context) {
		s := signin.SessionFrom(c.Request.Context())
		c.String(http.StatusOK, "signed in with %s", s.Assurance)
	})
	return r
}

// GinSession makes gin middleware of auth.Handler, or of a function that wraps
// auth.Require.
//
// In gin a middleware that returns lets the next handler run, whether it has called
// c.Next or not. A refusal must say c.Abort: without it the citizen's browser gets
// the refusal, and the handler behind it runs all the same.
func GinSession(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		admitted := false
		middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			admitted = true
			c.Request = r // which has the session
			c.Next()
		})).ServeHTTP(c.Writer, c.Request)
		if !admitted {
			c.Abort()
		}
	}
}
