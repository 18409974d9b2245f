#pragma once
#include <sqlite3.h>

/// `sqlite3_db_config` for an option that is on or off: Swift can't call what takes any number of arguments.
static inline int sqlite3_db_config_switch(sqlite3 *database, int option, int value) {
    return sqlite3_db_config(database, option, value, (int *)0);
}
