using Piccolo.Core.Apps.Import;
using Piccolo.Tests.Core.Apps.Manifest;

namespace Piccolo.Tests.Core.Apps.Import;

/// <summary>Compose files of somebody who wants the import to work for long, to fail, or to be fooled.</summary>
internal sealed class ImportHostileTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private static IEnumerable<TestCaseData> Hostile => All().Select(h => new TestCaseData(h.Text, h.Environment).SetArgDisplayNames(h.Name));

    [OneTimeSetUp]
    public void WarmUp()
    {
        foreach (var (_, text, environment) in All().Where(h =>
            h.Text.Length < 10_000)) ComposeImporter.Import(new ImportSource(text) { Environment = environment });
    }

    [TestCaseSource(nameof(Hostile))]
    public void Import_Hostile_IsAnsweredSoon(string text, string? environment)
    {
        var source = new ImportSource(text) { Environment = environment };
        ImportResult result = null!;
        var times = new List<TimeSpan>();
        // What is compiled meanwhile counts too, and less each time.
        do times.Add(ThreadTime.Of(() => result = ComposeImporter.Import(source)));
        while (times[^1] > Patience && times.Count < 5);

        Assert.That(times.Min(), Is.LessThan(Patience));
        Composed.AssertSound(result);
    }

    [Test]
    public void Import_TenMegabytes_AreRefusedForTheirSize()
    {
        var result = Composed.Import(new string('[', 10_000_000));

        Assert.That(result.Report.Single().Sentence, Is.EqualTo("The compose file is larger than 256 KiB."));
        Assert.That(Composed.Import("services: {a: {image: b}}", new string('x', 300_000)).Report.Single().Path, Is.EqualTo(".env"));
    }

    [TestCase("services:\n\tweb: {}", 2, "tab")]
    [TestCase("services: {web: {image: a}, web: {image: b}}", 1, "twice")]
    [TestCase("services: {web: {image: a}}\n---\nservices: {}", 2, "more than one document")]
    [TestCase("services: *nobody", 1, "alias")]
    [TestCase("a: &a [*a]", 1, "alias")]
    [TestCase("services: {web: !reset {image: a}}", 1, "Tags")]
    [TestCase("services: {web: {<<: 5, image: a}}", 1, "merged")]
    [TestCase("services:\n  web:\n    image: [", 3, "YAML")]
    [TestCase("", 1, "empty")]
    [TestCase("[]", 1, "empty")]
    [TestCase("just text", 1, "mapping")]
    public void Import_NotACompose_SaysWhereAndWhy(string text, int line, string word)
    {
        var refusal = Composed.Import(text).Report.Single();

        Assert.That((refusal.Path, refusal.Verdict, refusal.Sentence), Is.EqualTo(("compose", ImportVerdict.Refused, refusal.Sentence)));
        Assert.That(refusal.Sentence, Does.Contain(word));
        Assert.That(refusal.Line, Is.InRange(line, line + 1));
    }

    [TestCase("{}")]
    [TestCase("services:")]
    [TestCase("services: {}")]
    [TestCase("services: []")]
    [TestCase("services: text")]
    [TestCase("web: {image: a}")]
    public void Import_NoService_IsRefused(string text) => Assert.That(Composed.Import(text).Outcome, Is.EqualTo(ImportOutcome.Refused));

    [Test]
    public void Import_LineEndsAndByteOrderMark_DoNotMatter()
    {
        const string Text = "services:\n  web:\n    image: a\n    ports:\n      - \"80:80\"\n";

        Assert.That(Composed.Import("\uFEFF" + Text.Replace("\n", "\r\n", StringComparison.Ordinal)).Manifest, Is.EqualTo(Composed.Import(Text).Manifest));
    }

    [Test]
    public void Import_SentencesAndErrors_QuoteNoValues()
    {
        const string Canary = "hunter2canary";
        var result = Composed.Web(
            $"environment: {{A: {Canary}, 'b.d': {Canary}}}\ncommand: \"x '{Canary}\"\nuser: '{Canary}:x:y'\nmem_limit: {Canary}\nexpose: [{Canary}]");

        Assert.That(result.Report.Select(l => l.Sentence), Has.None.Contains(Canary));
    }

    private static IEnumerable<(string Name, string Text, string? Environment)> All()
    {
        const string Web = "services: {web: {image: a, ports: [80]";
        yield return ("3000 nodes", "services:\n" + string.Concat(Enumerable.Range(0, 30).Select(i =>
            $"  s{i}:\n    image: a\n    environment:\n{string.Concat(Enumerable.Range(0, 45).Select(v => $"      V{v}: x{v}\n"))}")), null);
        yield return ("200 services", "services: {" + Entries(200, i => $"s{i}: {{image: a, ports: ['{i + 1}:80']}}") + "}", null);
        yield return ("aliases that double", "x0: &x0 [a, a]\n" + string.Concat(Enumerable.Range(1, 30).Select(i =>
            $"x{i}: &x{i} [*x{i - 1}, *x{i - 1}]\n")), null);
        yield return ("merges that double",
            "x0: &x0 {a: 1}\n" + string.Concat(Enumerable.Range(1, 500).Select(i => $"x{i}: &x{i} {{<<: [*x{i - 1}, *x{i - 1}], b{i}: 1}}\n")), null);
        foreach (var depth in (int[])[17, 1_000, 50_000])
        {
            yield return ($"lists {depth}", "services: " + new string('[', depth) + new string(']', depth), null);
            yield return ($"mappings {depth}", string.Concat(Enumerable.Repeat("{a: ", depth)) + "b" + new string('}', depth), null);
        }
        yield return ("depth by alias", "x: &x {a: {a: {a: {a: {a: {a: {a: {}}}}}}}}\nservices: {w: {image: a, x-a: {a: {a: {a: {a: {a: {a: *x}}}}}}}}}", null);
        yield return ("extends ring of 32", "services: {" + Entries(32, i => $"s{i}: {{extends: s{(i + 1) % 32}}}") + "}", null);
        yield return ("extends chain", "services: {" + Entries(200, i => $"s{i}: {{extends: s{i + 1}, image: a}}") + "}", null);
        yield return ("nested variables", $"{Web}, environment: {{A: \"{string.Concat(Enumerable.Repeat("${A:-", 6_000))}x{new string('}', 6_000)}\"}}}}}}",
            null);
        yield return ("open variables", $"{Web}, environment: {{A: \"{string.Concat(Enumerable.Repeat("${", 15_000))}\"}}}}}}", null);
        yield return ("required without a value", $"{Web}, environment: {{A: '${{A:?}}', B: '${{B:?x}}'}}}}}}", null);
        yield return ("2000 questions", "services: {web: {image: a, ports: [80], environment: [" + Entries(2_000, i => $"'A{i}=${{Q{i}}}'") + "]}}", null);
        yield return ("a variable that grows", $"{Web}, environment: [" + Entries(100, i => $"'A{i}=$A$A$A$A$A$A$A'") + "]}}", "A=" + new string('x', 4_000));
        yield return ("variables that double", $"{Web}}}}}", "V0=xxxxxxxx\n" + string.Concat(Enumerable.Range(1, 64).Select(i =>
            $"V{i}=$V{i - 1}$V{i - 1}\n")));
        yield return ("200 KB of a .env", $"{Web}, env_file: .env}}}}", string.Concat(Enumerable.Range(0, 1_900).Select(i =>
            $"VARIABLE_{i}_PASSWORD={new string('x', 80)}\n")));
        yield return ("4000 ports", "services: {web: {image: a, ports: [" + Entries(2_000, i => $"'{i + 1}:{i + 1}'") + "]}}", null);
        yield return ("ranges", "services: {web: {image: a, ports: [" + Entries(1_000, i => "'1-16:1-16'") + "]}}", null);
        yield return ("3000 volumes", "services: {web: {image: a, volumes: [" + Entries(2_900, i => $"'v{i}:/v{i}'") + "]}}", null);
        yield return ("everybody waits for everybody",
            "services: {" + Entries(32, i => $"s{i}: {{image: a, depends_on: [{Entries(32, j => $"s{j}")}]}}") + "}", null);
        yield return ("a long command", $"{Web}, command: \"{string.Concat(Enumerable.Repeat("x ", 100_000))}\"}}}}", null);
        yield return ("a long password", $"{Web}, environment: {{DB_PASSWORD: \"{new string('p', 200_000)}\"}}}}}}", null);
        yield return ("hosts that backtrack",
            $"{Web}, environment: {{DOMAIN: \"{new string('m', 30_000)}\", BASE_URL: \"http://{new string('a', 30_000)}\"}}}}}}", null);
        yield return ("colons", $"{Web}, volumes: [\"{new string(':', 30_000)}\"], ports: [\"{new string(':', 30_000)}\"]}}}}", null);
        yield return ("passwords in a URL", $"{Web}, environment: {{A: \"{string.Concat(Enumerable.Repeat("://a:b", 5_000))}\"}}}}}}", null);
        yield return ("names of every kind", "services: {" + string.Join(", ", ((string[])["localhost", "127.0.0.1", "0x7f", "10", "a b", "é", "..", "_", "-",
            "A/B", "$x", "host.docker.internal"])
            .Select(n => $"\"{n}\": {{image: a}}")) + "}", null);
        yield return ("controls", $"{Web}, environment: {{A: \"a\\x00b\\x1b\"}}, command: [\"a\\x07\"], entrypoint: [\"\\x00\"], hostname: \"a\\x00\"}}}}",
            null);
        yield return ("lone surrogate", $"{Web}, environment: {{A: \"\ud800\"}}}}}}", null);
        yield return ("null everywhere",
            "services: {web: {image: a, ports: , volumes: , environment: , depends_on: , healthcheck: , deploy: , networks: , command: , user: }}", null);
        yield return ("lists everywhere",
            "services: {web: {image: a, ports: [[]], volumes: [[]], environment: [[]], depends_on: [[]], healthcheck: [[]], deploy: [[]], networks: [[]], "
            + "command: [[]], user: [], container_name: [], cap_add: [[]], "
            + "devices: [[]], secrets: [[]], sysctls: [[]], labels: [[]], extends: [], links: [[]], env_file: [[]]}}", null);
        yield return ("mappings everywhere",
            "services: {web: {image: a, ports: {a: b}, volumes: {a: b}, environment: {a: {}}, depends_on: {a: b}, healthcheck: {test: {}}, "
            + "deploy: {resources: {limits: {memory: {}}}}, networks: {a: b}, command: {}, "
            + "tmpfs: {a: b}, cap_add: {a: b}, devices: {a: b}, security_opt: {a: b}, env_file: {a: b}}}", null);
        yield return ("texts everywhere",
            "services: {web: {image: a, ports: x, volumes: x, environment: x, depends_on: x, healthcheck: x, deploy: x, networks: x, cap_add: x, devices: x, "
            + "security_opt: x, secrets: x, configs: x, sysctls: x, labels: x, "
            + "profiles: x, extends: x, links: x, group_add: x, tmpfs: x}}\nvolumes: x\nnetworks: x\nsecrets: x\ninclude: x", null);
    }

    private static string Entries(int count, Func<int, string> entry) => string.Join(", ", Enumerable.Range(0, count).Select(entry));
}
