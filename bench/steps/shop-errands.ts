import type { Draw } from './draw.ts';

interface MadeCall {
  name: string;
  args: Record<string, unknown>;
  /** Some tools answer with nothing. */
  result: string;
}

/** A conversation being written. */
export interface Visit {
  draw: Draw;
  customer: string;
  user(text: string): void;
  say(text: string): void;
  /** One answer that calls tools, side by side if several, and their results. */
  call(calls: readonly MadeCall[], text?: string): void;
}

type Errand = (visit: Visit) => void;

const parcel: Errand = (visit) => {
  const { draw } = visit;
  const order = orderNumber(draw);
  visit.user(`Where is my order ${order}? It should have been here on ${draw.date()}.`);
  visit.call([getOrder(draw, order)]);
  const tracking = `TR${draw.whole(100_000_000, 999_999_999)}`;
  visit.call(
    [
      {
        name: 'track_parcel',
        args: { tracking_number: tracking },
        result: JSON.stringify({
          tracking_number: tracking,
          events: Array.from({ length: draw.whole(2, 7) }, () => ({
            at: `${draw.date()}T${String(draw.whole(10, 23))}:15:00Z`,
            place: city(draw),
            status: draw.pick(['in transit', 'at the sorting centre', 'held by customs', 'delivery tried']),
          })),
        }),
      },
    ],
    draw.chance(0.3) ? 'I found the shipment; let me see where the carrier has it.' : '',
  );
  visit.say(
    `Order ${order} was last scanned in ${city(draw)}. The carrier expects to deliver it on ${draw.date()}.`,
  );
};

const refund: Errand = (visit) => {
  const { draw } = visit;
  const [first, second] = [orderNumber(draw), orderNumber(draw)];
  visit.user(
    `I sent back parts of ${first} and ${second}. Can you work out what I get back in all, and refund it to ` +
      'the card? The second one was damaged, so I think shipping should be included.',
  );
  visit.call([getOrder(draw, first), getOrder(draw, second)]);
  const amount = draw.whole(500, 30_000) / 100;
  visit.call([
    { name: 'calculate', args: { expression: `${amount} + 4.95` }, result: (amount + 4.95).toFixed(2) },
  ]);
  visit.say(
    `That comes to $${(amount + 4.95).toFixed(2)}: the items, and the shipping of the damaged order. ` +
      'It would go back to the card you paid with, in 5 to 7 days. Shall I do it?',
  );
  visit.user(draw.pick(['Yes, please.', 'yes', 'Go ahead – thanks!']));
  visit.call([
    {
      name: 'refund_order',
      args: {
        order_id: second,
        amount: amount + 4.95,
        items: Array.from({ length: draw.whole(1, 3) }, () => ({
          sku: sku(draw),
          quantity: draw.whole(1, 3),
        })),
        ...(draw.chance(0.5) ? { reason: 'damaged' } : {}),
      },
      result: '',
    },
  ]);
  visit.say('Done: the refund is on its way.');
};

const address: Errand = (visit) => {
  const { draw } = visit;
  const order = orderNumber(draw);
  visit.user(
    `Please send ${order} to my new place: ${draw.whole(1, 200)} Straße der Einheit, ${city(draw)}.`,
  );
  visit.call([getOrder(draw, order)]);
  if (draw.chance(0.4)) {
    visit.say(
      `I'm sorry, ${order} has left the warehouse already, and its address can't be changed any more.`,
    );
    return;
  }
  visit.call([
    {
      name: 'update_address',
      args: { order_id: order, address: { city: city(draw), zip: String(draw.whole(10_000, 99_999)) } },
      result: draw.chance(0.5) ? '' : 'ok',
    },
  ]);
  visit.say(`The address of ${order} is changed. Is there anything else?`);
};

const advice: Errand = (visit) => {
  const { draw } = visit;
  const thing = draw.pick(['a rain jacket', 'a head torch', 'hiking boots', 'a two-person tent']);
  visit.user(`I'm looking for ${thing} under $${draw.whole(60, 300)}. What do you have?`);
  visit.call([
    {
      name: 'search_products',
      args: { query: thing, max_price: draw.whole(60, 300), in_stock: true },
      result: JSON.stringify(
        Array.from({ length: draw.whole(0, 9) }, () => ({
          sku: sku(draw),
          price: draw.whole(20, 300) - 0.05,
          stock: draw.whole(0, 40),
          stars: draw.whole(20, 50) / 10,
        })),
      ),
    },
  ]);
  visit.say(`There are a few that fit. The best rated is ${sku(draw)}; the lightest is ${sku(draw)}.`);
  visit.user('What is the difference between the two, and which would you take for a week in the Alps?');
  visit.say('The first is warmer and 200 g heavier. For a week in autumn I would take the first.');
};

const human: Errand = (visit) => {
  visit.user('This is the third time. I want to speak to a person.');
  visit.call([
    {
      name: 'hand_over',
      args: { customer_id: visit.customer, summary: 'Third complaint; asks for a person.' },
      result: 'queued',
    },
  ]);
  visit.say('A colleague will call you back today.');
};

/** What customers come with. */
export const ERRANDS: readonly [Errand, ...Errand[]] = [parcel, refund, address, advice, human];

function getOrder(draw: Draw, order: string): MadeCall {
  const items = Array.from({ length: draw.whole(1, 8) }, () => ({
    sku: sku(draw),
    name: draw.pick(['Rain jacket', 'Wool socks', 'Head torch', 'Water bottle', 'Sac à dos 40 l']),
    quantity: draw.whole(1, 3),
    price: draw.whole(400, 20_000) / 100,
  }));
  return {
    name: 'get_order',
    args: { order_id: order },
    result: JSON.stringify({ order_id: order, placed: draw.date(), status: 'shipped', items }),
  };
}

function orderNumber(draw: Draw): string {
  return `W-${draw.whole(100_000, 999_999)}`;
}

function sku(draw: Draw): string {
  return `SKU-${draw.whole(1000, 9999)}`;
}

function city(draw: Draw): string {
  return draw.pick(['Hamburg', 'Lyon', 'Porto', 'Kraków', 'Malmö', 'Seattle']);
}
