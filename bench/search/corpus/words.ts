/**
 * Base forms the texts are made of; vocabulary.ts inflects them and gives each a frequency. A `+` doubles the last
 * letter before -ed and -ing.
 */

const list = (text: string): string[] => text.trim().split(/\s+/u)

export const VERBS = list(`
accept access achieve acknowledge acquire adapt add address adjust adopt advise affect agree aim align allocate allow alter amend analyse
announce answer anticipate append apply approve argue arrange arrive assemble assert assess assign assist assume attach attempt attract audit
authorise automate avoid await back balance batch benchmark benefit block boost bootstrap borrow bounce branch brand broadcast browse budget
buffer bump bundle bypass cache calculate call cancel capture carry cause challenge change charge chart chat check claim clarify classify clean
clear click climb clone close coach code collapse collect combine comment compare compensate compile complain complete compose compress compute
conceal concern conclude conduct configure confirm conform connect consider consolidate construct consult consume contain continue contribute
control convert convince cooperate coordinate copy correct correlate count cover crash crawl create cross debate decide declare decline decode
decorate decouple decrease deduce default defend defer+ define delay delegate delete deliver demand demonstrate deny depend deploy deprecate
derive describe deserve design destroy detach detect determine develop differ direct disable disagree discard disclose disconnect discover discuss
dismiss dispatch display distribute divide document double doubt download draft drain drop+ duplicate edit elect eliminate embed+ emerge emit+
employ enable encode encounter encourage encrypt enforce engage enhance enjoy enqueue enrich ensure enter escape escalate establish estimate
evaluate evict evolve examine exceed exchange exclude execute exercise exhaust exist expand expect experience expire explain exploit explore
export expose express extend extract fail fetch file fill filter finalise finish fix flag+ flatten flip+ flush focus fold follow force
forecast fork format forward freeze fulfil+ function gain gather generate govern grant group guarantee guard guess guide handle happen hash
help hesitate highlight hint hire hook host identify ignore illustrate imagine impact implement imply import impose improve include increase
indicate infer+ inform inherit initialise inject insert insist inspect inspire install instruct integrate intend intercept interpret interrupt
introduce invalidate invent investigate invite invoke involve isolate iterate join judge jump justify kill label lack land launch leak learn
license lift limit link list listen load locate lock log+ loop lower maintain manage map+ mark mask match measure mention merge migrate
minimise mirror miss mitigate mix model modify monitor mount move multiply mutate name navigate need negotiate nominate normalise note notice
notify observe obtain occur+ offer offload omit+ open operate oppose optimise order organise orchestrate outline overflow overlap+ override own pack paginate panic
parse participate partition pass patch pause perform permit+ persist pick pin+ pipe place plan+ play plot+ plug+ point poll populate post
postpone predict prefer+ prepare present preserve press presume prevent print prioritise probe process produce profile progress project promise
promote propagate propose protect prove provide provision prune publish pull punish purchase purge push qualify query question queue raise
randomise range rank rate reach react realise reassign rebase rebuild recall receive recognise recommend reconcile reconnect record recover
recruit recycle reduce refactor refer+ refine reflect refresh refuse regenerate register regret+ reject relate relax release relocate rely remain
remember remind remove rename render renew reopen repair repeat replace replicate reply report represent reproduce request require rescue
research reserve reset resolve respect respond restart restore restrict resume retain retire retry retrieve return reuse reveal reverse review
revise revoke reward rewind rotate route sample sanitise satisfy save scale scan+ schedule scrape scroll search secure seed select separate
serialise serve settle shape share shift ship+ signal simplify simulate skip+ slice slow smooth snapshot solve sort source spawn specify
split+ sponsor stabilise stage stall start state stop+ store stream strengthen stress stretch strip+ structure study submit+ subscribe subtract
succeed suffer suggest summarise supply support suppose suppress surface surprise suspect suspend sustain swap+ switch synchronise synthesise
tackle tag+ target taste terminate test thank throttle time toggle tolerate touch trace track trade train transfer+ transform translate
transmit+ travel treat trigger trim+ truncate trust tune tweak unblock uncover understand unify unlock update upgrade upload use utilise validate
vary verify version view violate visit visualise wait walk want warn warm wash watch wire witness wonder work worry wrap+ yield zoom`)

export const NOUNS = list(`
ability absence academy access accident account accuracy action activity actor addition adjustment administrator advantage advice agency agenda
agent agreement alarm album allocation allowance alternative ambition amount analysis analyst anchor angle annotation announcement answer
appearance appendix application appointment approach approval archive area argument arrangement arrival article aspect assembly assessment asset
assignment assistant association assumption atmosphere attachment attempt attendance attention attitude attribute audience author authority
average awareness background backlog balance bank bargain barrier baseline basis battery bearing behaviour belief benchmark benefit bicycle
billing birthday blanket blueprint board bonus border bottleneck bottom boundary branch breach breakdown breakfast bridge briefing broker
budget building bulletin burden business button buyer calendar camera campaign candidate capability capacity capital carbon career cargo
carrier category cause caution ceiling celebration centre ceremony certificate chain chairman challenge champion chance channel chapter
character charity checklist chemistry choice circle circuit circumstance citizen clarity classroom clause clearance client climate clinic
clock closet cluster coach coalition coast coffee collaboration colleague collection college colour column combination comfort command
commerce commission commitment committee commodity community companion company comparison compartment compensation competition complaint
completion complexity compliance component compromise concept concern conclusion condition conference confidence configuration confirmation
conflict confusion connection consensus consequence consideration constraint construction consultant consumer contact container content contest
context continent contract contradiction contrast contribution controversy convention conversation conversion cooperation copyright corner
corporation correction correlation corridor cottage council counter country county courage course coverage craft creator creature credit
crisis criterion criticism crossing culture curiosity currency current curriculum curve customer cycle daily damage danger dashboard deadline
dealer debate decade decision declaration decline decrease dedication defeat defect defence deficit definition degree delay delegation
delivery demand democracy department departure dependency deposit depth description designer desire destination destruction detail detection
detour developer device diagnosis diagram dialogue diary dictionary difference difficulty dimension dinner direction director disaster
discipline discount discovery discussion disease display disposal dispute distance distinction distribution district diversity division doctor
document domain donation draft drawing driver drought duration duty economy edition editor education effect efficiency effort election
electricity element elevator embassy emergency emission emphasis employee employer encounter energy engagement engine engineer enquiry
enterprise entertainment enthusiasm entrance environment episode equation equipment error essay essence estate estimate evaluation evening
event evidence examination example exception exchange excitement excuse execution exercise exhibition existence expansion expectation expense
experience experiment expert explanation exploration explosion exposure expression extension extent extreme facility factor factory faculty
failure faith family farmer fashion father fault favour feature federation feedback fence festival fiction figure finance finding fixture
flavour flight flood floor flower focus forecast forest formation formula fortune forum foundation fraction fragment framework freedom
frequency friction friend frontier function funding furniture future gallery garage garden gateway generation genius gesture giant glance glass
goal government grade graduate grammar grant graph gravity ground growth guarantee guardian guest guidance guideline habit handbook handle
harbour hardware harmony harvest hazard headline health heart heating height heritage hierarchy highway history holiday horizon hospital
household housing hunter hypothesis idea identity illustration image imagination impact implementation implication importance impression
improvement incentive incident income increase independence indication individual industry inflation influence information infrastructure
ingredient initiative injury innovation inquiry insight inspection inspector inspiration installation instance institution instruction
instrument insurance integration integrity intelligence intention interaction interest interior interpretation interval intervention interview
introduction invasion invention inventory investigation investment investor invitation invoice island isolation issue item journal journey
judgement junction jurisdiction justice kitchen knowledge laboratory labour landscape language laptop launch lawyer layer leader leadership leaflet
lecture legacy legend leisure lesson letter level liability library licence lifetime limitation literature location logic loyalty machine
machinery magazine magnitude maintenance majority manager mandate manner manual manufacturer margin market marriage material matrix matter
maximum meaning measure measurement mechanism medicine medium meeting member membership memorandum mention merchant merger message metal method
middle migration milestone mineral minimum minister ministry minority minute miracle mirror mission mistake mixture mobility mode moderator
moment momentum morning mortgage motion motivation motor mountain movement museum music mystery narrative nation nature necessity negotiation
neighbour network newspaper nickname notebook notice notion novel number objection objective obligation observation observer obstacle occasion occupation
ocean offence office officer opening opera operation operator opinion opponent opportunity opposition option orchestra orientation origin
outcome outlet outline outlook output oversight owner ownership oxygen package painting palace panel paradox paragraph parameter parcel parent
parliament participant partner partnership passage passenger passion pathway patience patient pattern payment penalty pension percentage
perception performance period permission personality perspective petition phase phenomenon philosophy phrase physics picture pilot pipeline
pitch plaintiff planet planner plastic platform player pleasure pocket poetry policy pollution population portfolio portion portrait position
possession possibility potential pottery poverty practice precision predecessor prediction preference prejudice premise premium preparation
presence presentation president pressure prevention price pride principle priority privacy privilege prize probability problem procedure
process product production profession professor profile profit programme progress promotion proof property proportion proposal prospect
protection protest protocol provider province provision psychology publication publisher purchase purpose puzzle qualification quality quantity
quarter question questionnaire quota railway rainfall range rating ratio reaction reader reality reason rebellion receipt reception recession
recipe recipient recognition recommendation reconstruction record recovery recreation reduction redundancy reference reflection reform refugee
refund region register regulation regulator rehearsal relation relationship relief religion reluctance remainder remark remedy reminder rental
repetition replacement report reporter representation reputation requirement research reserve resident resistance resolution resource response
responsibility restaurant restoration restriction result retailer retention retirement retreat retrospective revenue review revision revolution
reward rhythm ritual rival roadmap robot role rotation routine rumour runway sacrifice safety salary sample satisfaction scandal scenario
schedule scheme scholar science scientist scope score screen script sculpture season secretary section sector security selection seminar senator
sensation sensor sentence sequence series session setback settlement shadow shareholder shelter shipment shopper shortage shoulder signal signature
significance silence similarity simulation situation sketch skill slogan society software soldier solution sophistication source space specialist
specification spectrum speech spokesman sponsor spreadsheet stadium staff stage stakeholder standard statement station statistic statue status
stomach storage storm strategy strength structure struggle student studio subject submission subscription subsidy substance success suggestion
suitcase summary summit supervisor supplement supplier supply support surface surgeon surgery surplus surprise survey survival suspicion
sustainability symbol sympathy symptom syndicate system tactic talent target taxpayer teacher technique technology telescope television temperature
template tenant tendency tension terminal terrace territory testimony textbook texture theatre theme theory therapy thought threat threshold ticket
timetable tissue tobacco tomorrow tongue topic total tourist tournament tradition traffic tragedy trainer transaction transition translation
transmission transport traveller treasury treatment treaty trend trial triangle tribute triumph trouble trustee tunnel tutorial uncertainty
understanding uniform union universe university update upgrade usage utility vacancy validity valley value variable variant variation vegetable vehicle
venture venue verdict version veteran victim victory village violation virtue vision visitor vocabulary voice volume volunteer voucher
vulnerability warehouse warning warranty warrior waste weakness wealth weapon weather website wedding weekend welfare wilderness window winner
winter wisdom witness workflow workload workplace workshop writer`)

export const TECHNICAL = list(`
abstraction accumulator adapter algorithm alias allocator annotation anomaly api appender archive argument arithmetic array artifact assertion
async atom attribute auditor authentication authorization autoscaler backend backoff backpressure backup balancer bandwidth barrier bastion
batch bearer binary binding bitmap blob blocklist bloom boolean bootstrap breakpoint broker browser bucket buffer bug build builder bulkhead
bundler burst byte bytecode cache callback canary capture cardinality cascade catalogue certificate changelog changeset channel charset
checkpoint checksum chunk cipher circuit class classifier cleanup client clipboard closure cluster codec collation collector column commit
comparator compiler compaction component compression concurrency config connector console consumer container controller converter cookie coroutine
coverage cpu crash credential crawler cron cursor daemon dashboard database dataset datagram deadlock debugger decorator decoder deduplication
default degradation delta dependency deployment deque descriptor deserializer destructor dialect dictionary diff digest directive directory
dispatcher docker domain downtime driver dump duplicate editor embedding emitter emulator encoder encoding encryption endpoint entity enum
environment ephemeral epoch error evaluator event eviction exception executor exporter expression extension failover failure fallback fanout
fastify feature federation fetcher field file filesystem filter finalizer fingerprint firewall firmware fixture flag flamegraph flow flush
folder footprint foreign formatter fragment framework frontend fsync function fuzzer garbage gateway generator generics getter git glob
goroutine gradient grammar granularity graph graphql grpc guard handler handshake hardware hash header heap heartbeat helm heuristic histogram
hook hostname hotfix html http hypervisor idempotency identifier identity index inference ingress initializer inode input insertion instance
instrumentation integer integration interceptor interface interpreter interrupt invariant iterator java javascript job join journal json jwt kafka
kernel key keyboard keystore kubernetes label lambda latency layout leader lease ledger lexer library lifecycle linter listener literal loader
localhost lock logger logic login lookup loop lru macro mainframe makefile manifest mapper marshaller memo memory merge merkle message metadata metric
microservice middleware migration mirror mock model module monitor monolith mount multiplexer mutex namespace network neuron node nonce normalizer
notification null nullable object observability observer offset operand operator optimizer orchestrator ordinal orm outage output overflow overhead
package packet page pagination pager parallelism parameter parser partition password patch path payload peer percentile permission persistence
pgbouncer phase pipeline pixel placeholder platform plugin pod pointer policy poller polyfill pool port postgres postmortem precedence predicate
prefix preprocessor primary priority privilege probe process processor producer profiler projection promise prompt property protobuf protocol prototype
provider provisioner proxy publisher python query queue quorum race randomness rasterizer readiness rebase reboot recursion redirect redis reducer
redundancy refactoring reference regex region registry regression release reliability renderer replica replication repository request resolver
resource response restore retention retry revision rollback rollout root router routing row runbook runner runtime rust salt sandbox saturation scalar
scanner schema scheduler scope script scrollbar secret segment selector semaphore sentinel serializer server service session setter severity shard
sharding shell sidecar signal signature singleton skeleton snapshot snippet socket spinner sqlite stack staging standby statement stacktrace startup
state storage store stream string struct stub subdomain submodule subnet subprocess subquery subscriber suffix supervisor swap switch symlink synchronization syntax
table tablespace tarball template tenant tensor terminal terraform test thread threshold throttle throughput timeout timer timestamp token
tokenizer tombstone tooltip topic topology tracer traffic transaction transcript transformer translator transport traversal tree trigger tuple type
typescript unicode union unit upload upstream uptime urgency url user utility vacuum validator variable vault vector version viewport viewer virtualization
visitor volume watchdog watcher watermark webhook websocket whitelist widget worker workspace wrapper writer yaml zone`)

export const ADJECTIVES = list(`
able absent abstract acceptable accidental accurate active actual acute additional adequate adjacent advanced aggressive ambitious ancient annual
anonymous apparent applicable arbitrary asynchronous atomic attractive automatic available average awkward backward bad bare basic beautiful better big
blank blind blocking blue bold brave brief bright brittle broad broken busy cached calm capable careful careless casual cautious central certain
cheap chronic circular civil classic clean clear clever close cold collective comfortable common compact comparable compatible competent complete complex
comprehensive concrete concurrent conditional confident conscious consecutive conservative considerable consistent constant contemporary
continuous convenient conventional cool correct corrupt costly critical crucial cultural curious current custom cyclic daily dangerous dark dead
decent deep defensive deliberate delicate dense dependent desperate detailed deterministic different difficult digital direct dirty distant distinct
distributed diverse domestic dominant double dramatic dry dual due dull duplicate dynamic eager early eastern easy economic effective efficient
elaborate elastic elegant eligible empty endless enormous entire equal essential eternal ethical eventual everyday evident exact excellent exceptional
excessive exclusive existing exotic expensive experimental explicit extensive external extra extraordinary extreme faint fair faithful false familiar
famous fancy fast fatal faulty favourable feasible final fine finite firm flaky flat flexible fluent foreign formal former fragile free frequent
fresh friendly full functional fundamental future fuzzy general generic generous genuine gentle global good gradual grand graphical grateful great green
gross habitual handy hard harmful harsh healthy heavy helpful hidden high historical holistic honest horizontal hostile hot huge human humble hybrid
ideal identical idle illegal immediate immutable imperfect implicit important impossible impressive inactive incomplete inconsistent incorrect
incremental independent indirect individual industrial inevitable infinite informal inherent initial inner innocent insecure instant integral
intelligent intense intentional interactive interesting intermediate intermittent internal international intimate invalid invisible irregular
irrelevant isolated joint junior keen key large late latent lazy leading lean legal legitimate lengthy light likely limited linear linguistic literal
little live local logical lone long loose loud low loyal lucky magnetic main major malicious manageable mandatory manual marginal massive mature maximal
meaningful mechanical medical mental mere mild military minimal minor missing mixed mobile moderate modern modest modular monthly moral multiple mutable
mutual mysterious naive narrow nasty national native natural nearby neat necessary negative nervous nested neutral nice noble noisy nominal normal northern
notable noticeable novel numeric obscure obsolete obvious occasional odd offensive official old open opaque operational optimal optional orange
ordinary organic original orphaned outdated outer overall overdue painful parallel partial particular passive patient peculiar perfect periodic permanent
persistent personal pessimistic physical plain pleasant plausible polite poor popular portable positive possible potential powerful practical precious
precise predictable preliminary premature present previous primary primitive principal prior private probable productive professional profound
prominent promising prompt proper proud provisional public pure quick quiet radical random rapid rare raw reactive ready real realistic
reasonable recent recursive red redundant regional regular relative relevant reliable reluctant remaining remarkable remote repeated representative
resident resilient respective responsible responsive restless reverse rich rigid rigorous risky robust rough round royal rude rural sacred safe scalable
scarce secondary secret secure selective senior sensible sensitive separate sequential serious severe shallow sharp short significant silent similar
simple simultaneous single slight slow small smart smooth sober social soft solid sophisticated southern spare sparse special specific speculative
spectacular spontaneous stable stale standard static statistical steady steep sticky stiff strange strategic strict strong structural stubborn
stupid subjective subsequent substantial subtle successful sudden sufficient suitable superb superior supreme suspicious sustainable swift
symmetric synchronous synthetic systematic tactical tall technical tedious temporary tender terminal terrible thick thin thorough tidy tight tiny tired
total tough toxic traditional transient transparent tremendous trivial tropical true typical ugly ultimate unable unacceptable unaware uncertain
unclear unexpected unfair unhappy unhealthy uniform unique universal unknown unlikely unnecessary unreachable unsafe unstable unusual upcoming upper urban
urgent useful useless usual vague vain valid valuable variable various vast verbose vertical viable vigorous violent virtual visible visual vital vivid
volatile voluntary vulnerable warm weak weekly weird western wide widespread wild wireless wise wooden wrong yearly yellow young`)

export const ADVERBS = list(`
absolutely accordingly accurately actively actually additionally afterwards again almost already alternatively altogether always apparently
approximately automatically barely basically briefly carefully certainly clearly closely completely consequently consistently constantly correctly
currently deeply deliberately desperately directly easily effectively elsewhere entirely equally especially essentially eventually everywhere evidently
exactly exclusively explicitly extremely fairly finally firmly formerly fortunately freely frequently fully fundamentally furthermore generally gently
gradually greatly hardly heavily hopefully ideally immediately implicitly incorrectly increasingly indeed indefinitely independently inevitably initially
instantly instead intentionally internally kindly largely lately likewise literally locally mainly manually meanwhile merely moreover mostly mutually namely
naturally nearly necessarily nevertheless newly normally notably obviously occasionally oddly officially originally otherwise overnight partially particularly
partly perfectly periodically permanently personally possibly potentially practically precisely predominantly presently presumably previously primarily
probably promptly properly publicly purely quickly quietly randomly rapidly rarely readily really reasonably recently regularly relatively reliably remotely
repeatedly reportedly respectively roughly safely scarcely separately seriously severely sharply shortly significantly silently similarly simply
simultaneously slightly slowly smoothly somehow sometimes somewhat soon specifically steadily strictly strongly subsequently substantially successfully
suddenly sufficiently supposedly surely surprisingly temporarily theoretically thoroughly tightly together totally traditionally tremendously truly twice
typically ultimately undoubtedly unexpectedly unfortunately uniformly universally usually utterly virtually visibly voluntarily wholly widely wisely`)

/** Words that only hold a sentence together: no query is made of them alone, and the questions are asked with them. */
export const FUNCTION_WORDS = list(`
a about above across after against all along also although am among an and another any anyone anything are around as at be because been before
being behind below beside besides between beyond both but by can cannot could did do does doing done down during each either else enough even ever every
everyone everything except few for from further get gets got had has have having he hence her here hers him his how however i if in inside into is
it its itself just least less let like made make makes many may me might mine more most much must my neither never no nobody none nor not nothing
now of off often on once one only onto or other others our ours out outside over own per perhaps please quite rather same say says see seen shall she should since so
some somebody someone something still such than that the their theirs them then there therefore these they thing things this those though through thus
till to too toward under unless until up upon us very was way we well were what whatever when whenever where whether which while who whom whose why will
with within without would yes yet you your yours know knows tell told find found happened think`)

/** Short names people type as they are. */
export const SHORT_WORDS = list(
  'db ci ui gc os io vm ip ssl tls jwt sql api css dns ssh tcp udp cpu gpu ram ssd pr qa eta sla slo p99 rpc url xml csv pdf cli sdk orm lru ttl id ux ml ai nlp rsa aes utc kpi faq rfc eof oom'
)

export const ACCENTED = list(`
café naïve résumé Zürich señor São façade jalapeño über Müller Søren Åsa Łódź Ñandú élève crème brûlée déjà piñata Köln Málaga Besançon Tromsø
Reykjavík Dvořák Škoda Çelik Gdańsk Győr Brontë coöperate fiancée Häagen smörgåsbord Ångström garçon touché cliché soirée Björk Peña Núñez Gómez
привет сервер ошибка запрос данные проверка задача готово очередь память доступ ответ`)

/** Chinese, Japanese and Korean; a sentence is a few of them after each other. */
export const CJK = list(`
世界 数据库 服务器 错误 请求 超时 连接 缓存 队列 内存 索引 查询 更新 删除 用户 权限 会话 消息 搜索 结果 测试 部署 版本 日志 监控 任务 分配 完成 失败 重试
検索 接続 設定 確認 実行 変更 処理 画面 開発 障害 復旧 認証 承認 会議 資料 検証 調査 対応 環境 更新日 データ サーバー エラー テスト リリース ユーザー
서버 오류 요청 연결 시간초과 데이터 검색 결과 사용자 권한 배포 테스트 완료 실패 메시지`)

export const EMOJI = list('🚀 ✅ ❌ 🔥 🎉 ⚠️ 🐛 💡 🔧 📈 📉 🧪 🚨 👀 👍 🙏 💾 🔒 🧹 🕐 🐢 🦀 🐍 ☕ 🧠 📦 🗑️ ♻️ 🛑 🎯')
