// Package shortcut is how packets of known TCP connections pass a router without its tables: two small programs on each of its links.
//
// A packet that comes in is looked up by router, link, addresses and ports. If there is a lane for it, it goes where the lane leads with the link addresses
// that the lane has. Otherwise it goes through the router like any other, and where it leaves the rules mark it, if it is of a connection that
// is known and not translated; then it leaves a lane behind.
//
// Guarantees:
//
//   - A lane is the answer that the router gave to a packet of the same link, addresses and ports. Nothing else makes one.
//   - After Turn no lane is taken that was made before, nor is one made of a packet that came in before.
//   - A lane is taken for a second; then a packet asks the router again, so that its connection is known as long as it is used.
//   - What begins or ends a connection, fragments, options of IP, packets that are too large or have lived too long go through the router.
//   - What is read of a lane while the map gives its place to another one is not taken.
//   - Programs stay on links when their process ends, and go on as long as nobody changes the router. Those that another process does not put
//     its own in the place of take a change for true within a second.
package shortcut
