package signin

// Follow is what a watcher does with the changes of one list.
var Follow = (*Authenticator).follow
