import { Component, type ComponentType, type FunctionComponent } from 'preact';

/** Renders again only when a prop is another one. Keeps long timelines fluid: of 1,000 rows, one new message renders one. */
export function memo<P extends object>(Render: FunctionComponent<P>): ComponentType<P> {
  return class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      return !isShallowEqual(this.props, next);
    }

    override render() {
      return <Render {...this.props} />;
    }
  };
}

function isShallowEqual(a: object, b: object): boolean {
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && Object.is(Reflect.get(a, key), Reflect.get(b, key)));
}
