import './look.css';
import './challenge.css';
import { createPortal } from 'react-dom';
import { CameraPreview } from '../camera/camera-preview.tsx';
import { useTexts } from '../i18n/i18n.ts';
import { Icon } from '../parts/icon.tsx';
import { IntentButton } from '../parts/intent-button.tsx';
import { ChallengePicture } from './challenge-picture.tsx';
import { LookGuide } from './look-guide.tsx';
import { HINT_ICONS } from './look-hints.ts';
import type { ScreenProps } from './screen-props.ts';

/** What is asked, as a picture and a sentence. Nothing is judged here: the terminal says what to draw, the colours too. */
export function ChallengeScreen({ screen }: ScreenProps<'challenge'>) {
  const t = useTexts();
  const { demand, hint, progress, remaining, step, problem, colour, face } = screen;
  const asked = demand ?? 'settle';
  // One thing at a time: what can be done about it comes before what went wrong.
  const said =
    demand === null && hint && hint !== 'hold-it' && hint !== 'look-straight'
      ? { icon: HINT_ICONS[hint], words: t(`look.hints.${hint}`) }
      : problem && { icon: 'info' as const, words: t(`challenge.problems.${problem}`) };
  return (
    <div className="look challenge">
      {/* Behind everything, from edge to edge: the more of the screen shines, the more comes back from the face. */}
      {colour && createPortal(<div className="challenge-lamp" style={{ backgroundColor: colour }} />, document.body)}
      <div className="look-picture" data-tone="good">
        <CameraPreview label={t('look.preview')} />
        <LookGuide progress={progress} face={face} />
      </div>
      <div className="look-words">
        <div>
          <h1>{t('challenge.title')}</h1>
          {step.of > 1 && <p className="look-service">{t('challenge.step', { number: step.number, of: step.of })}</p>}
        </div>
        <div className="challenge-task" data-asked={asked} aria-live="assertive" aria-atomic="true">
          <ChallengePicture asked={asked} />
          <p>{demand ? t(`challenge.demands.${demand}`) : t('challenge.settle')}</p>
        </div>
        {said && (
          <p className="challenge-hint">
            <Icon name={said.icon} />
            {said.words}
          </p>
        )}
        {remaining !== null && (
          <progress
            className="challenge-time"
            aria-label={t('challenge.remaining')}
            max={100}
            value={Math.round(remaining * 100)}
          />
        )}
        {demand && (
          <IntentButton intent={{ kind: 'decline-challenge', demand }} look="second">
            {t(demand === 'light' ? 'challenge.declineLight' : 'challenge.decline')}
          </IntentButton>
        )}
      </div>
    </div>
  );
}
