import './ending.css';
import type { Service } from '../../src-contract/primitives.ts';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';
import { Notice } from '../parts/notice.tsx';
import { Sum } from '../parts/sum.tsx';
import { AccountDigits } from './account-digits.tsx';
import type { ScreenProps } from './screen-props.ts';

/** Where there is more to say than thanks. */
const THANKS: Readonly<Partial<Record<Service, 'done.thanksEnrol' | 'done.thanksOptOut'>>> = {
  enrol: 'done.thanksEnrol',
  'opt-out': 'done.thanksOptOut',
};

export function DoneScreen({ screen }: ScreenProps<'done'>) {
  const t = useTexts();
  const receipt = t(`done.receipt.${screen.receipt}`);
  return (
    <div className="ending">
      {/* Where there is a number and more to say, the words need the room. */}
      {!(screen.accountNumber && screen.lookAlike) && (
        <span className="ending-sign ending-sign-good">
          <Icon name="tick" />
        </span>
      )}
      <h1>{t(`done.title.${screen.service}`)}</h1>
      {(screen.amount || screen.balance) && (
        <div className="ending-sums">
          {screen.amount && <Sum amount={screen.amount} />}
          {screen.balance && <Sum label={t('done.balance')} amount={screen.balance} size="small" />}
        </div>
      )}
      {screen.accountNumber && (
        <div className="ending-account">
          <p>{t('done.accountNumber')}</p>
          <AccountDigits digits={screen.accountNumber} label={t('done.accountNumber')} />
          <p>{t('done.noteNumber')}</p>
        </div>
      )}
      <p className="lead">
        {screen.receipt === 'printed' && <strong>{receipt} </strong>}
        {t(THANKS[screen.service] ?? 'done.thanks')}
      </p>
      {screen.receipt === 'unavailable' && <Notice kind="info">{receipt}</Notice>}
      {screen.lookAlike && <Notice kind="info">{t('done.lookAlike')}</Notice>}
      {screen.standIn && <Notice kind="info">{t('done.standIn')}</Notice>}
      <div className="answers answers-one">
        <IntentButton intent={{ kind: 'confirm' }} look="first">
          {t('done.finish')}
        </IntentButton>
      </div>
    </div>
  );
}
