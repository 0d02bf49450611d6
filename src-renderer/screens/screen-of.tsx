/** Which component draws which screen of the contract. */
import { assertNever } from '../../src-contract/primitives.ts';
import type { Screen } from '../../src-contract/screen.ts';
import { AmountScreen } from './amount.tsx';
import { AttractScreen } from './attract.tsx';
import { BalanceScreen } from './balance.tsx';
import { BasketScreen } from './basket.tsx';
import { ChallengeScreen } from './challenge.tsx';
import { ClaimScreen } from './claim.tsx';
import { ConfirmDepositScreen } from './confirm-deposit.tsx';
import { ConfirmTransferScreen } from './confirm-transfer.tsx';
import { ConsentScreen } from './consent.tsx';
import { DoneScreen } from './done.tsx';
import { InsertCashScreen } from './insert-cash.tsx';
import { LookScreen } from './look.tsx';
import { MenuScreen } from './menu.tsx';
import { OptOutScreen } from './opt-out.tsx';
import { OutOfServiceScreen } from './out-of-service.tsx';
import { PayeeScreen } from './payee.tsx';
import { PinScreen } from './pin.tsx';
import { ReceiptScreen } from './receipt.tsx';
import { SorryScreen } from './sorry.tsx';
import { StartingScreen } from './starting.tsx';
import { TakeCashScreen, TakeReturnedScreen } from './take-cash.tsx';
import { WaitScreen } from './wait.tsx';

export function ScreenOf({ screen }: { screen: Screen }) {
  switch (screen.name) {
    case 'starting':
      return <StartingScreen />;
    case 'attract':
      return <AttractScreen />;
    case 'menu':
      return <MenuScreen screen={screen} />;
    case 'consent':
      return <ConsentScreen screen={screen} />;
    case 'look':
      return <LookScreen screen={screen} />;
    case 'challenge':
      return <ChallengeScreen screen={screen} />;
    case 'amount':
      return <AmountScreen screen={screen} />;
    case 'pin':
      return <PinScreen screen={screen} />;
    case 'payee':
      // Another number to begin with, or another problem, is another screen: what was keyed before is not carried over.
      return <PayeeScreen key={`${screen.entered} ${screen.problem}`} screen={screen} />;
    case 'claim':
      // As with a payee's number.
      return <ClaimScreen key={`${screen.entered} ${screen.problem}`} screen={screen} />;
    case 'confirm-transfer':
      return <ConfirmTransferScreen screen={screen} />;
    case 'wait':
      return <WaitScreen screen={screen} />;
    case 'insert-cash':
      return <InsertCashScreen screen={screen} />;
    case 'confirm-deposit':
      return <ConfirmDepositScreen screen={screen} />;
    case 'take-cash':
      return <TakeCashScreen screen={screen} />;
    case 'take-returned':
      return <TakeReturnedScreen screen={screen} />;
    case 'balance':
      return <BalanceScreen screen={screen} />;
    case 'opt-out':
      return <OptOutScreen />;
    case 'receipt':
      return <ReceiptScreen screen={screen} />;
    case 'done':
      return <DoneScreen screen={screen} />;
    case 'sorry':
      return <SorryScreen screen={screen} />;
    case 'out-of-service':
      return <OutOfServiceScreen screen={screen} />;
    case 'basket':
      return <BasketScreen screen={screen} />;
    default:
      return assertNever(screen);
  }
}
