/* Precompiled once; included before every program, so a missing include of the library is forgiven. */
#include <bits/stdc++.h>
