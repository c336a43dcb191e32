// Package docs runs the commands of the documentation.
//
// Conventions, so that a page reads well and is a test at once:
//
//   - Every block fenced as sh is run, in order, in one shell for each page: what a block exports, the next one sees.
//   - A block fenced as text right after it is the output it must give. "..." in a line stands for anything; a line that is
//     only "..." stands for any lines. White space is compared as one space.
//   - An HTML comment right before a block changes that: <!-- not run: reason --> leaves it out, <!-- until: 30s -->
//     repeats it until the output is right, for what becomes true in a moment.
//
// A block fails when any of its commands does.
package docs
