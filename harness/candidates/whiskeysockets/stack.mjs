// WhiskeySockets' library, as a candidate's half.
import { library } from './library.mjs';

export const stack = {
  name: 'Countersign sample (WhiskeySockets)',
  version: '0.1.0',
  build: 'libsignal (WhiskeySockets) 6.0.0',
  suites: { 'signal-classic': library },
};
