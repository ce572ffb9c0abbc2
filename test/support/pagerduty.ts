// The double of PagerDuty lives with the demo, which ships; tests take it from here.

export {
  type PagerdutyDouble,
  type PagerdutyEvent,
  type PagerdutyIncident,
  startPagerduty,
} from '../../examples/fleet/world/pagerduty.ts';
