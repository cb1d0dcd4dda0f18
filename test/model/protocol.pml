/* The protocol of restocking once more, in Promela, for the model checker Spin. It was written from
 * the same description as the model in Go (docs/proof.md), and shares no code with it. So a mistake in
 * one of the two explorers, or in the reading of the protocol, makes them disagree.
 *
 * Bounds and mutants come as macros: see spin_test.go. Time is in ticks: half lead times.
 */
#define NOBODY 0
#define CLAIMED 1
#define UNMARKED 2

#define NONE 0
#define OPEN 1
#define RECEIVED 2
#define SHORT 3
#define FAILED 4
#define CANCELLED 5

#define WAIT 0
#define PUBLISH 1
#define ASK_AGAIN 2
#define GIVE_UP 3

#define OVERDUE 1
#define GIVEN_UP 2
#define SURPLUS 4
#define LATE 8
#define CORRECTED 16

#define REORDER_POINT 1
#define LEAD_TIME 2
#define PATIENCE(asks) (4 << ((asks) - 1))
#define LONGEST 33

/* Arrays have room for the fair run, too. */
#define ORDER_ROOM (ORDERS + 2)
#define LOT_ROOM (LOTS + 2)
#define MESSAGE_ROOM 4

typedef Buyer { byte wants; byte sold; bool answered }
typedef Order {
	byte status; byte quantity; byte received; byte asks; byte asked; bool published; bool sent;
	byte sender; byte notices; byte told; byte lots
}
typedef Message { byte order; byte valid; bool dead } /* order: index + 1 */
typedef Callback { byte quantity; bool forged; bool dead; bool late }
typedef Lot {
	byte order; bool making; byte age; byte made; byte owed; byte booked; byte turns; Callback reports[2]
}
typedef Sweep { byte order; byte step; byte asks; byte received; byte asked }

byte bin[BINS];
Buyer buyers[BUYERS];
Order orders[ORDER_ROOM];
Message messages[MESSAGE_ROOM];
Lot lots[LOT_ROOM];
Sweep sweep;
byte faults, cancels, rotations, again;
bool calm; /* from now on nothing goes wrong, and everybody does what they have to do */
bool done; /* nothing is left to do */

/* What one step needs. All are zero between two steps. */
byte i, j, k, n, position, wants, add, booked, step;
bool took, bought, ok;
byte was_status[ORDER_ROOM], was_received[ORDER_ROOM], was_asks[ORDER_ROOM], was_stock;

#if BINS == 1
#define STOCK_NOW (bin[0])
#else
#define STOCK_NOW (bin[0] + bin[1])
#endif

#define SHARE(number, b) ((number) / BINS + ((b) < (number) % BINS -> 1 : 0))

inline spread(stock) {
	bin[0] = SHARE(stock, 0);
#if BINS == 2
	bin[1] = SHARE(stock, 1)
#endif
}

/* k becomes the open order, or ORDER_ROOM. */
inline find_open() {
	k = 0;
	do
	:: k < ORDER_ROOM && orders[k].status != OPEN -> k++
	:: else -> break
	od
}

#ifdef FLOORS_OF_ZERO
#define FLOORS(open) 0
#elif defined(FLOORS_TOO_LOW)
#define FLOORS(open) ((open) -> 0 : REORDER_POINT)
#else
#define FLOORS(open) ((open) -> 0 : REORDER_POINT + 1)
#endif

#ifdef SECOND_ORDER
#define DUE(left, open) ((left) <= REORDER_POINT)
#elif defined(DUE_AT_NOTHING)
#define DUE(left, open) ((left) == 0 && !(open))
#else
#define DUE(left, open) ((left) <= REORDER_POINT && !(open))
#endif

/* The policy: up to 3, in lots of 2. */
#ifdef ORDER_OF_NOTHING
#define QUANTITY(stock) 0
#else
#define QUANTITY(stock) (((3 - (stock)) + 1) / 2 * 2)
#endif

#ifdef NO_KEY
#define REPEATED(b) false
#else
#define REPEATED(b) (buyers[b].sold > 0)
#endif

/* ok says whether there is room for another order. */
inline open_order(stock) {
	n = 0;
	do
	:: n < ORDER_ROOM && orders[n].status != NONE -> n++
	:: else -> break
	od;
	ok = (n < (calm -> ORDER_ROOM : ORDERS));
	if
	:: ok ->
		orders[n].status = OPEN; orders[n].quantity = QUANTITY(stock); orders[n].asks = 1; orders[n].sender = CLAIMED
	:: else
	fi
}

/* What a sweep does with order k. */
inline next_step() {
	step = WAIT;
	if
#ifndef SWEEP_PUBLISHES_NOTHING
#ifdef SWEEP_IS_IMPATIENT
	:: !orders[k].published -> step = PUBLISH
#else
	:: !orders[k].published && orders[k].asked >= 1 -> step = PUBLISH
#endif
#endif
#ifdef SWEEP_ASKS_EARLY
	:: orders[k].published && orders[k].asked + LEAD_TIME > PATIENCE(orders[k].asks) ->
#else
	:: orders[k].published && orders[k].asked > PATIENCE(orders[k].asks) ->
#endif
		if
#ifdef ASKS_WITHOUT_END
		:: orders[k].received == 0 -> step = ASK_AGAIN
#else
		:: orders[k].received == 0 && orders[k].asks < 4 -> step = ASK_AGAIN
#endif
#ifndef NEVER_GIVES_UP
		:: else -> step = GIVE_UP
#else
		:: else
#endif
		fi
	:: else
	fi
}

#ifdef CLAIM_IS_BLIND
#define UNCHANGED(o) (orders[o].asks == sweep.asks)
#else
#define UNCHANGED(o) (orders[o].asks == sweep.asks && orders[o].received == sweep.received)
#endif

inline claim(o) {
	if
	:: orders[o].status != OPEN
	:: orders[o].status == OPEN && sweep.step == PUBLISH ->
		if
		:: !orders[o].published && orders[o].asked == sweep.asked ->
			orders[o].asked = 0; orders[o].sender = CLAIMED;
#ifdef MARKS_FIRST
			orders[o].published = true
#endif
		:: else
		fi
	:: orders[o].status == OPEN && sweep.step != PUBLISH && UNCHANGED(o) ->
		if
		:: sweep.step == ASK_AGAIN ->
			if
			:: orders[o].asks == 1 -> orders[o].notices = orders[o].notices | OVERDUE
			:: else
			fi;
			orders[o].asks++; orders[o].asked = 0; orders[o].sender = CLAIMED
		:: sweep.step == GIVE_UP ->
			orders[o].status = FAILED;
#ifndef PART_FAILS
			if
			:: sweep.received > 0 -> orders[o].status = SHORT
			:: else
			fi;
#endif
			orders[o].notices = orders[o].notices | GIVEN_UP
		fi
	:: else
	fi;
	sweep.order = 0; sweep.step = 0; sweep.asks = 0; sweep.received = 0; sweep.asked = 0
}

/* ok says whether there was room for the message. */
inline send(o) {
	n = 0;
	do
	:: n < MESSAGE_ROOM && messages[n].order != 0 -> n++
	:: else -> break
	od;
	ok = n < MESSAGE_ROOM;
	if
	:: ok ->
		messages[n].order = o + 1;
#ifdef EXPIRES_LATE
		messages[n].valid = PATIENCE(orders[o].asks);
#else
		messages[n].valid = PATIENCE(orders[o].asks) - LEAD_TIME;
#endif
		orders[o].sender = UNMARKED; orders[o].sent = true
	:: else
	fi
}

#ifdef NEVER_EXPIRES
#define EXPIRED(m) false
#else
#define EXPIRED(m) (messages[m].valid == 0)
#endif

inline clear_message(m) { messages[m].order = 0; messages[m].valid = 0; messages[m].dead = false }

/* ok says whether the factory may start another lot. */
inline start_lot(m, answered) {
	n = 0;
	do
	:: n < LOT_ROOM && lots[n].order != 0 -> n++
	:: else -> break
	od;
	ok = (n < (calm -> LOT_ROOM : LOTS));
	if
	:: ok ->
		lots[n].order = messages[m].order; lots[n].making = true;
		k = messages[m].order - 1;
		orders[k].lots++;
		if
		:: answered -> clear_message(m)
		:: else
		fi
	:: else
	fi
}

/* ok says whether there was room for the callback. */
inline report(l, count, is_forged) {
	n = 0;
	do
	:: n < 2 && lots[l].reports[n].quantity != 0 -> n++
	:: else -> break
	od;
	ok = n < 2;
	if
	:: ok ->
		lots[l].reports[n].quantity = count; lots[l].reports[n].forged = is_forged;
		if
		:: !is_forged && count > lots[l].made -> lots[l].made = count
		:: else
		fi
	:: else
	fi
}

#ifdef FORGED_IS_BOOKED
#define ACCEPTED(l, r) (lots[l].turns < 2)
#elif defined(PREVIOUS_KEY_IS_REFUSED)
#define ACCEPTED(l, r) (!lots[l].reports[r].forged && lots[l].turns < 1)
#else
#define ACCEPTED(l, r) (!lots[l].reports[r].forged && lots[l].turns < 2)
#endif

#ifdef MORE_IS_IGNORED
#define BOOKABLE(quantity) (quantity > booked && booked == 0)
#else
#define BOOKABLE(quantity) (quantity > booked)
#endif

inline receive(l, r) {
	k = lots[l].order - 1;
	booked = lots[l].booked;
#ifdef BOOKED_TWICE
	booked = 0;
#endif
	if
	:: ACCEPTED(l, r) && BOOKABLE(lots[l].reports[r].quantity) ->
		add = lots[l].reports[r].quantity - booked;
		if
		:: booked > 0 -> orders[k].notices = orders[k].notices | CORRECTED
		:: else
		fi;
		if
		:: orders[k].received + add > orders[k].quantity ->
#ifndef SILENT_SURPLUS
			orders[k].notices = orders[k].notices | SURPLUS
#else
			skip
#endif
		:: orders[k].received + add <= orders[k].quantity && orders[k].status != OPEN ->
			orders[k].notices = orders[k].notices | LATE
		:: else
		fi;
		orders[k].received = orders[k].received + add;
		lots[l].booked = lots[l].booked + add;
#ifndef CLOSES_NOTHING
		if
#ifdef CLOSED_AGAIN
		:: orders[k].received >= orders[k].quantity -> orders[k].status = RECEIVED
#elif defined(PART_CLOSES)
		:: orders[k].status == OPEN -> orders[k].status = RECEIVED
#else
		:: orders[k].status == OPEN && orders[k].received >= orders[k].quantity -> orders[k].status = RECEIVED
#endif
		:: else
		fi;
#endif
		position = STOCK_NOW + add;
		spread(position)
	:: else
	fi
}

inline leave(l, r) {
	if
	:: lots[l].reports[r].forged
	:: !lots[l].reports[r].forged && lots[l].turns < 2 ->
		if
		:: lots[l].reports[r].quantity > lots[l].owed -> lots[l].owed = lots[l].reports[r].quantity
		:: else
		fi
	:: else -> again++
	fi;
	lots[l].reports[r].quantity = 0; lots[l].reports[r].forged = false; lots[l].reports[r].dead = false;
	lots[l].reports[r].late = false
}

/* took says whether a notice was sent. */
inline tell() {
	k = 0;
	do
	:: k < ORDER_ROOM ->
		if
		:: orders[k].notices != 0 ->
			orders[k].told = orders[k].told | orders[k].notices; orders[k].notices = 0; took = true
		:: else
		fi;
		k++
	:: else -> break
	od
}

#define WAITS(l, r) (lots[l].reports[r].quantity > 0 && !lots[l].reports[r].forged && !lots[l].reports[r].late)

/* ok says whether time may pass: no publisher and no sweep is between two steps. */
inline pass_time() {
	ok = sweep.order == 0;
	k = 0;
	do
	:: k < ORDER_ROOM -> ok = ok && orders[k].sender == NOBODY; k++
	:: else -> break
	od;
	if
	:: ok ->
		k = 0;
		do
		:: k < ORDER_ROOM ->
			if
			:: orders[k].status == OPEN && orders[k].asked < LONGEST -> orders[k].asked++
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0;
		do
		:: k < MESSAGE_ROOM ->
			if
			:: messages[k].valid > 0 -> messages[k].valid--
			:: else
			fi;
			k++
		:: else -> break
		od;
		k = 0;
		do
		:: k < LOT_ROOM ->
			if
			:: lots[k].making && lots[k].age <= LEAD_TIME ->
				lots[k].age++;
				if
				:: lots[k].age > LEAD_TIME -> again++
				:: else
				fi
			:: else
			fi;
			n = 0;
			do
			:: n < 2 ->
				if
				:: WAITS(k, n) ->
					lots[k].reports[n].late = true; again++
				:: else
				fi;
				n++
			:: else -> break
			od;
			k++
		:: else -> break
		od
	:: else
	fi
}

/* remember keeps what the rules compare a step with. */
inline remember() {
	k = 0;
	do
	:: k < ORDER_ROOM ->
		was_status[k] = orders[k].status; was_received[k] = orders[k].received; was_asks[k] = orders[k].asks; k++
	:: else -> break
	od;
	was_stock = STOCK_NOW;
	k = 0
}

/* rules checks a step, and forgets what it needed. What no step reads any more becomes zero, so that
 * fewer states differ. */
inline rules() {
	n = 0; position = 0; add = 0;
	k = 0;
	do
	:: k < BUYERS ->
		assert(buyers[k].sold == 0 || buyers[k].sold == buyers[k].wants);
		n = n + buyers[k].sold; k++
	:: else -> break
	od;
	k = 0;
	do
	:: k < LOT_ROOM ->
		assert(lots[k].booked <= lots[k].made);
		assert(lots[k].booked >= lots[k].owed);
		position = position + lots[k].booked; k++
	:: else -> break
	od;
	assert(STOCK_NOW + n == STOCK + position);
	position = 0; n = 0; k = 0;
	do
	:: k < ORDER_ROOM ->
		if
		:: orders[k].status == OPEN -> n++
		:: else
		fi;
		if
		:: orders[k].lots > 1 -> position = position + orders[k].lots - 1
		:: else
		fi;
		assert(was_status[k] <= OPEN || orders[k].status == was_status[k]);
		assert(orders[k].received >= was_received[k]);
		assert(orders[k].status != OPEN || orders[k].received < orders[k].quantity);
		assert(orders[k].status != RECEIVED || orders[k].received >= orders[k].quantity);
		assert(!(orders[k].asks > was_asks[k] && was_received[k] > 0));
		assert(!orders[k].published || orders[k].sent);
		assert(orders[k].asks <= 4);
		add = orders[k].notices | orders[k].told;
		assert(orders[k].received <= orders[k].quantity || (add & SURPLUS));
		assert((orders[k].status != FAILED && orders[k].status != SHORT) || (add & GIVEN_UP));
		assert(!(orders[k].status == FAILED && was_status[k] == OPEN && was_received[k] > 0));
		if
		:: orders[k].status != OPEN && orders[k].sender == NOBODY ->
			orders[k].asks = 0; orders[k].asked = 0; orders[k].published = false; orders[k].sent = false
		:: else
		fi;
		was_status[k] = 0; was_received[k] = 0; was_asks[k] = 0;
		k++
	:: else -> break
	od;
	assert(n <= 1);
	assert(calm || position <= again);
	assert(!(bought && STOCK_NOW < was_stock && STOCK_NOW <= REORDER_POINT && n == 0));
	i = 0; j = 0; k = 0; n = 0; position = 0; wants = 0; add = 0; booked = 0; step = 0; was_stock = 0;
	took = false; bought = false; ok = false
}

inline any_buyer() { if :: i = 0
#if BUYERS > 1
	:: i = 1
#endif
	fi }
inline any_order() { if :: i = 0
#if ORDERS > 1
	:: i = 1
#endif
	fi }
inline any_lot() { if :: i = 0
#if LOTS > 1
	:: i = 1
#endif
	fi }
inline any_message() { if :: i = 0 :: i = 1 :: i = 2 :: i = 3 fi }
inline any_report() { if :: j = 0 :: j = 1 fi }

#define FAULT (faults < FAULTS)

inline buy() {
	any_buyer();
	wants = buyers[i].wants;
	if
	:: buyers[i].answered
	:: else ->
		bought = true;
		find_open();
		if /* the answer comes, or is lost */
		:: j = 0
		:: FAULT -> j = 1
		fi;
		if
		/* from its connection's bin */
		:: !REPEATED(i) && bin[0] >= wants + FLOORS(k < ORDER_ROOM) ->
			bin[0] = bin[0] - wants; buyers[i].sold = buyers[i].sold + wants; ok = true
#if BINS == 2
		:: !REPEATED(i) && bin[1] >= wants + (FLOORS(k < ORDER_ROOM) / 2) ->
			bin[1] = bin[1] - wants; buyers[i].sold = buyers[i].sold + wants; ok = true
#endif
		/* from all bins, or the answer to an earlier request */
		:: REPEATED(i) -> ok = true
		:: !REPEATED(i) && STOCK_NOW >= wants ->
			position = STOCK_NOW - wants;
			ok = true;
			if
#ifdef SALE_OPENS_NOTHING
			:: false
#else
			:: DUE(position, k < ORDER_ROOM) -> open_order(position)
#endif
			:: else
			fi;
			if
			:: ok -> buyers[i].sold = buyers[i].sold + wants; spread(position)
			:: else
			fi
		/* a refusal */
		:: !REPEATED(i) && STOCK_NOW < wants ->
			position = STOCK_NOW;
			if
			:: j == 0 && DUE(position, k < ORDER_ROOM) -> open_order(position)
			:: else
			fi;
			ok = false
		fi;
		if
		:: ok && j == 0 -> buyers[i].answered = true
		:: ok && j == 1 -> faults++
		:: else
		fi
	fi
}

inline publisher() {
	any_order();
	if
	:: orders[i].sender == CLAIMED ->
		if
		:: send(i)
		:: FAULT -> send(i); if :: ok -> faults++; again++; send(i) :: else fi
		:: FAULT -> faults++; orders[i].sender = NOBODY
		fi
	:: orders[i].sender == UNMARKED ->
		if
		:: orders[i].published = true; orders[i].sender = NOBODY
		:: FAULT ->
			faults++;
			if
			:: orders[i].status == OPEN && !orders[i].published -> again++
			:: else
			fi;
			orders[i].sender = NOBODY
		fi
	:: else
	fi
}

inline queue() {
	any_message();
	if
	:: messages[i].order == 0
	:: messages[i].order != 0 && messages[i].dead -> messages[i].dead = false
	:: messages[i].order != 0 && !messages[i].dead && EXPIRED(i) -> clear_message(i)
	:: messages[i].order != 0 && !messages[i].dead && !EXPIRED(i) ->
		if
		:: start_lot(i, true)
		:: FAULT -> start_lot(i, false); if :: ok -> faults++; again++ :: else fi
		:: FAULT -> faults++; messages[i].dead = true
		fi
	fi
}

inline factory() {
	any_lot();
	if
	:: lots[i].order == 0
	:: else ->
		add = orders[lots[i].order - 1].quantity;
		if
		:: FAULT -> report(i, 1, false); if :: ok -> faults++ :: else fi
		:: FAULT -> report(i, add, true); if :: ok -> faults++ :: else fi
		:: FAULT && !lots[i].making && lots[i].made > 0 ->
			report(i, lots[i].made, false); if :: ok -> faults++ :: else fi
		:: lots[i].making ->
			report(i, add, false); if :: ok -> lots[i].making = false; lots[i].age = 0 :: else fi
		:: FAULT && lots[i].making ->
			report(i, 1, false); if :: ok -> faults++; lots[i].making = false; lots[i].age = 0 :: else fi
		:: FAULT && lots[i].making ->
			faults++; lots[i].making = false; lots[i].age = 0; k = lots[i].order - 1; orders[k].lots--
		:: else
		fi
	fi
}

inline deliveries() {
	any_lot();
	any_report();
	if
	:: lots[i].reports[j].quantity == 0
	:: lots[i].reports[j].quantity != 0 && lots[i].reports[j].dead -> lots[i].reports[j].dead = false
	:: lots[i].reports[j].quantity != 0 && !lots[i].reports[j].dead ->
		if
		:: receive(i, j); leave(i, j)
		:: FAULT -> faults++; receive(i, j)
		:: FAULT -> faults++;
#ifdef FORGETS
			leave(i, j)
#else
			lots[i].reports[j].dead = true
#endif
		fi
	fi
}

#ifdef NEVER_CHECKS
#define CHECKS false
#else
#define CHECKS true
#endif

inline sweeps() {
	if
	:: CHECKS && STOCK_NOW <= REORDER_POINT ->
		find_open();
		if
		:: k == ORDER_ROOM -> position = STOCK_NOW; open_order(position)
		:: else
		fi
#ifndef SILENT
	:: tell()
#endif
	:: sweep.order == 0 ->
		find_open();
		if
		:: k < ORDER_ROOM ->
			next_step();
			if
			:: step != WAIT ->
				sweep.order = k + 1; sweep.step = step; sweep.asks = orders[k].asks;
				sweep.received = orders[k].received; sweep.asked = orders[k].asked
			:: else
			fi
		:: else
		fi
	:: sweep.order != 0 -> n = sweep.order - 1; claim(n)
	fi
}

inline others() {
	if
	:: cancels < CANCELS ->
		find_open();
		if
		:: k < ORDER_ROOM -> cancels++; orders[k].status = CANCELLED
		:: else
		fi
	:: rotations < ROTATIONS && lots[0].order != 0 ->
		rotations++;
		k = 0;
		do
		:: k < LOT_ROOM ->
			if
			:: lots[k].order != 0 && lots[k].turns < 2 -> lots[k].turns++
			:: else
			fi;
			k++
		:: else -> break
		od
	:: else
	fi
}

/* late_after says whether something would be late if time passed now. */
inline late_after() {
	took = false;
	k = 0;
	do
	:: k < LOT_ROOM ->
		took = took || (lots[k].making && lots[k].age == LEAD_TIME) || WAITS(k, 0) || WAITS(k, 1);
		k++
	:: else -> break
	od
}

inline time_passes() {
	late_after();
	if
	:: !took -> pass_time()
	:: took && FAULT -> pass_time(); if :: ok -> faults++ :: else fi
	:: else
	fi
}

/* One step of the run in which nothing goes wrong. Each part does nothing if an earlier one did. */
inline fair_step() {
	/* publishers */
	i = 0;
	do
	:: i < ORDER_ROOM && !ok ->
		if
		:: orders[i].sender == CLAIMED -> send(i)
		:: orders[i].sender == UNMARKED -> orders[i].published = true; orders[i].sender = NOBODY; ok = true
		:: else
		fi;
		i++
	:: else -> break
	od;
	if
	:: !ok && sweep.order != 0 -> n = sweep.order - 1; claim(n); ok = true
	:: else
	fi;
	/* callbacks */
	i = 0;
	do
	:: i < LOT_ROOM && !ok ->
		j = 0;
		do
		:: j < 2 && !ok ->
			if
			:: lots[i].reports[j].quantity > 0 && !lots[i].reports[j].dead -> receive(i, j); leave(i, j); ok = true
			:: else
			fi;
			j++
		:: else -> break
		od;
		i++
	:: else -> break
	od;
#ifndef SILENT
	if
	:: !ok -> tell(); ok = took
	:: else
	fi;
#endif
	if
	:: !ok && CHECKS && STOCK_NOW <= REORDER_POINT ->
		find_open();
		if
		:: k == ORDER_ROOM -> position = STOCK_NOW; open_order(position)
		:: else
		fi
	:: else
	fi;
	/* messages */
	i = 0;
	do
	:: i < MESSAGE_ROOM && !ok ->
		if
		:: messages[i].order != 0 && !messages[i].dead && EXPIRED(i) -> clear_message(i); ok = true
		:: messages[i].order != 0 && !messages[i].dead && !EXPIRED(i) -> start_lot(i, true)
		:: else
		fi;
		i++
	:: else -> break
	od;
	/* lots */
	i = 0;
	do
	:: i < LOT_ROOM && !ok ->
		if
		:: lots[i].order != 0 && lots[i].making ->
			add = orders[lots[i].order - 1].quantity;
			report(i, add, false);
			if
			:: ok -> lots[i].making = false; lots[i].age = 0
			:: else
			fi
		:: else
		fi;
		i++
	:: else -> break
	od;
	if
	:: !ok ->
		find_open();
		if
		:: k < ORDER_ROOM ->
			next_step();
			if
			:: step != WAIT ->
				sweep.order = k + 1; sweep.step = step; sweep.asks = orders[k].asks;
				sweep.received = orders[k].received; sweep.asked = orders[k].asked; ok = true
			:: else
			fi
		:: else
		fi
	:: else
	fi;
	if
	:: !ok -> pass_time()
	:: else
	fi;
	faults = 0; cancels = 0; rotations = 0; again = 0
}

/* took becomes whether nothing is left to do. */
inline find_done() {
	find_open();
	took = STOCK_NOW > REORDER_POINT && k == ORDER_ROOM && sweep.order == 0;
	k = 0;
	do
	:: k < ORDER_ROOM -> took = took && orders[k].notices == 0 && orders[k].sender == NOBODY; k++
	:: else -> break
	od;
	k = 0;
	do
	:: k < MESSAGE_ROOM -> took = took && (messages[k].order == 0 || messages[k].dead); k++
	:: else -> break
	od
}

active proctype world() {
	d_step {
		spread(STOCK);
		buyers[0].wants = WANTS_0;
#if BUYERS > 1
		buyers[1].wants = WANTS_1
#endif
	}
end:	do
	:: atomic { !calm -> remember(); buy(); rules() }
	:: atomic { !calm -> remember(); publisher(); rules() }
	:: atomic { !calm -> remember(); queue(); rules() }
	:: atomic { !calm -> remember(); factory(); rules() }
	:: atomic { !calm -> remember(); deliveries(); rules() }
	:: atomic { !calm -> remember(); sweeps(); rules() }
	:: atomic { !calm -> remember(); others(); rules() }
	:: atomic { !calm -> remember(); time_passes(); rules() }
	:: d_step { !calm -> calm = true; faults = 0; cancels = 0; rotations = 0; again = 0 }
	:: d_step { calm && !done ->
		find_done();
		done = took;
		took = false; k = 0;
		if
		:: !done -> remember(); fair_step(); rules()
		:: else
		fi }
	od
}

ltl restocked { [] (calm -> <> done) }
