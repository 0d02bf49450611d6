/**
 * What a person is told before their face is registered, and agrees to. Any change of meaning needs a new version: consent
 * is to one text. Written with Japan's Act on the Protection of Personal Information in mind (purpose specified and told,
 * articles 17 and 21; no provision to third parties without consent, article 27; disclosure, correction and cessation of
 * use, articles 33 to 35). Face feature data are an individual identification code under its article 2(2).
 */
import type { ConsentText } from '../src-contract/policy.ts';

export const CONSENT: ConsentText = {
  version: '2026-11-c',
  texts: {
    ja: {
      title: '顔の登録についての同意',
      paragraphs: [
        '利用目的:あなたがご本人であることの確認にだけ使います。対象は、当行の端末でのお預け入れ、お引き出し、残高照会と、加盟店でのお支払いです。広告、行動の追跡、性別や年齢の推定には使いません。',
        '登録するもの:カメラの映像から計算した顔の特徴データ(個人識別符号にあたる個人情報)です。写真や動画は保存しません。特徴データは、元の顔に戻しにくく、必要なときに新しいものへ取り替えられる形に変換し、暗号化して保管します。',
        'あわせて記録するもの:お選びになる暗証番号(復元できない形)、同意した日時と文面の版、および端末で行った照合の結果(日時、取引、判定の確からしさ。顔の画像や特徴データは含みません)です。確認できなかったお顔の特徴データは、不正な試行を防ぐため、その端末だけに暗号化して最長1日間保管します。',
        '保存期間:特徴データは、登録を取り消すか口座を解約するまで保管し、その後は削除します。取引と照合結果の記録は、法令で定められた期間保管します。',
        '受け取る者:特徴データは、当行と、当行が管理する端末だけが扱います。法令に基づく場合を除き、ご本人の同意なく第三者に提供しません。加盟店には渡しません。',
        '誤りの可能性:顔による確認は確率に基づきます。よく似た方がいる場合や、金額が大きい場合は、暗証番号もお尋ねします。',
        '任意であること:登録するかどうかは自由です。登録しなくても、窓口やキャッシュカードなど他の方法で同じサービスをご利用いただけます。不利益はありません。',
        '取り消しと請求:同意はいつでも、当行の端末、窓口またはお客さま相談室で取り消せます。取り消すと特徴データを削除し、すべての端末から消去します。それより後にお顔でお支払いいただくことはありません。保有する情報の開示、訂正、利用停止は窓口またはお客さま相談室で請求できます。',
      ],
    },
    en: {
      title: 'Consent to register your face',
      paragraphs: [
        'Purpose: only to confirm that you are you, when you deposit, withdraw or ask for your balance at our terminals, and when you pay at our partner shops. Not for advertising, not to follow your movements, not to estimate your age or sex.',
        'What we register: facial feature data calculated from the camera picture. By law this is personal information that identifies you. We store no photograph and no video. The data are transformed so that they are hard to turn back into a face and can be replaced by new ones, and are kept encrypted.',
        'What we record besides: the PIN you choose (in a form that cannot be read back), when you agreed and to which version of this text, and the result of each check at a terminal (time, transaction, how certain it was; never a picture or feature data). Of a face that could not be confirmed, feature data are kept at that one terminal, encrypted and for a day at most, to stop people who keep trying.',
        'How long: feature data are kept until you withdraw your registration or close your account, and are then deleted. Records of transactions and of check results are kept for as long as the law requires.',
        'Who receives it: only this bank and the terminals it manages handle feature data. Except where the law requires it, nothing is given to a third party without your consent. Shops do not receive it.',
        'It can be wrong: recognising a face is a matter of probability. Where somebody looks very much like you, or the amount is larger, we also ask for your PIN.',
        'It is voluntary: you are free not to register. The same services remain open to you in other ways, such as at the counter or with a cash card, and you suffer no disadvantage.',
        'Withdrawal and requests: you may withdraw your consent at any time, at any of our terminals, at the counter or through customer service. Your feature data are then deleted, at every terminal too, and no later payment by your face is charged to you. At the counter or through customer service you can also ask to see, correct or stop the use of what we hold about you.',
      ],
    },
  },
};
