/** A program that uses Gradus from outside: what it requires is all that a user has to name. */
module consumer {
  requires dev.gradus.io;
  requires dev.gradus.optim;
}
