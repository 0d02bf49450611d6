import './attract.css';
import { useTexts } from '../i18n/i18n.ts';
import { IntentButton } from '../parts/intent-button.tsx';
import { useView } from '../terminal-context.ts';

export function AttractScreen() {
  const { terminal } = useView();
  const t = useTexts();
  return (
    <div className="attract">
      <div className="attract-words">
        <h1>{t(`attract.${terminal.profile}.title`)}</h1>
        <p>{t(`attract.${terminal.profile}.body`)}</p>
        <IntentButton intent={{ kind: 'begin' }} look="plain" className="attract-begin">
          {t('attract.begin')}
        </IntentButton>
        <IntentButton intent={{ kind: 'choose-service', service: 'opt-out' }} look="plain" className="attract-opt-out">
          {t('attract.optOut')}
        </IntentButton>
      </div>
      <AttractPicture />
    </div>
  );
}

/** A face in the oval that the customer will meet again on the next screens. */
function AttractPicture() {
  return (
    <svg className="attract-picture" viewBox="0 0 400 480" aria-hidden="true" focusable="false">
      <ellipse className="attract-halo attract-halo-far" cx="200" cy="240" rx="190" ry="232" />
      <ellipse className="attract-halo" cx="200" cy="240" rx="168" ry="208" />
      <ellipse className="attract-oval" cx="200" cy="240" rx="142" ry="180" />
      <ellipse className="attract-ring" cx="200" cy="240" rx="142" ry="180" pathLength="100" />
      <circle className="attract-eye" cx="154" cy="210" r="11" />
      <circle className="attract-eye" cx="246" cy="210" r="11" />
      <path className="attract-smile" d="M150 300 L190 338 L268 250" />
    </svg>
  );
}
