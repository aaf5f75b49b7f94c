import { dayLabel, lastSeenLabel, listLabel, startOfDay } from '../src/model/time.ts';

const at = (...[year, month, day, hour = 12]: [number, number, number, number?]): number =>
  new Date(year, month - 1, day, hour).getTime();
const NOW_MS = at(2026, 5, 20, 9);

it('names the last two days, then weekdays, then dates', () => {
  expect(dayLabel(at(2026, 5, 20, 0), NOW_MS)).toBe('Today');
  expect(dayLabel(at(2026, 5, 19, 23), NOW_MS)).toBe('Yesterday');
  expect(dayLabel(at(2026, 5, 15), NOW_MS)).toMatch(/Friday/);
  expect(dayLabel(at(2026, 5, 13), NOW_MS)).toMatch(/13/);
  expect(dayLabel(at(2026, 5, 13), NOW_MS)).not.toMatch(/2026/);
  expect(dayLabel(at(2025, 5, 13), NOW_MS)).toMatch(/2025/);
});

it('counts days by the calendar where the clocks change', () => {
  for (let day = 1; day <= 365; day += 1) {
    const now = at(2026, 1, 1 + day, 0);
    expect(dayLabel(at(2026, 1, day, 23), now)).toBe('Yesterday');
  }
});

it('says in the list when: the time today, the day before', () => {
  expect(listLabel(at(2026, 5, 20, 8), NOW_MS)).toMatch(/8/);
  expect(listLabel(at(2026, 5, 19), NOW_MS)).toBe('Yesterday');
  expect(listLabel(at(2026, 5, 16), NOW_MS)).toBe('Saturday');
  expect(listLabel(at(2026, 3, 2), NOW_MS)).toMatch(/2/);
});

it('says when somebody was last there', () => {
  expect(lastSeenLabel(at(2026, 5, 20, 8), NOW_MS)).toMatch(/^last seen at .*8/);
  expect(lastSeenLabel(at(2026, 5, 19), NOW_MS)).toBe('last seen yesterday');
  expect(lastSeenLabel(at(2026, 5, 1), NOW_MS)).toMatch(/^last seen on .*1/);
});

it('starts days at midnight', () => {
  expect(startOfDay(at(2026, 5, 20, 23))).toBe(at(2026, 5, 20, 0));
});
