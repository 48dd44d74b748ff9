// The customer beside the chat, from the shop's own systems.
export default {
  template: `
    <aside class="card" aria-label="Customer">
      <div class="card-head">
        <h2>Customer</h2>
        <button type="button" class="quiet close" aria-label="Close" @click="$emit('show', 'chat')">
          <i class="material-icons" aria-hidden="true">close</i></button>
      </div>
      <p class="identity" :class="card.tone"><i class="material-icons" aria-hidden="true">{{ card.icon }}</i><span>{{ card.identity }}</span></p>
      <p v-if="card.problem" class="outage" role="status"><i class="material-icons" aria-hidden="true">cloud_off</i>{{ card.problem }}</p>
      <div v-if="card.loading" class="loading"><span></span><span></span><span></span></div>
      <template v-else-if="card.customer">
        <h3 class="name">{{ card.customer.name }}</h3>
        <dl>
          <template v-for="f in card.customer.facts"><dt>{{ f.name }}</dt>
            <dd :class="{ selectable: true }">{{ f.value }}</dd></template>
        </dl>
        <h4>Last orders</h4>
        <p v-if="!card.orders.length" class="none">No orders.</p>
        <ul class="orders">
          <li v-for="o in card.orders" :key="o.number">
            <p class="first"><b>{{ o.number }}</b><span class="tag" :class="o.tone">{{ o.state }}</span></p>
            <p class="second"><span>{{ o.placed }} · {{ o.items }}</span><b>{{ o.total }}</b></p>
            <p v-for="s in o.shipments" class="parcel">
              <i class="material-icons" aria-hidden="true">local_shipping</i>
              <span>{{ s.text }}
              <a v-if="s.url" :href="s.url" target="_blank" rel="noopener noreferrer">{{ s.number }}</a><template v-else>{{ s.number }}</template></span>
            </p>
          </li>
        </ul>
      </template>
      <div v-else-if="!card.problem" class="empty">
        <i class="material-icons" aria-hidden="true">person_search</i>
        <p>Nobody known yet</p>
        <p class="small">The card fills once the customer gives an order number with its e-mail or phone.</p>
      </div>
    </aside>`,
  props: { card: Object },
  emits: ["show"],
};
