using System.Text.RegularExpressions;
using Piccolo.Tests.Fakes;

namespace Piccolo.Tests.Architecture;

/// <summary>Links between the repository's pages lead somewhere, and tests that owner pages name exist.</summary>
internal sealed partial class DocumentLinksTests
{
    private static readonly string[] Pages =
    [
        .. Directory.EnumerateFiles(Repository.Root, "*.md"),
        .. new[] { "docs", "compose", "packaging", "tools" }.Select(Repository.File).Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*.md", SearchOption.AllDirectories)),
    ];

    [Test]
    public void Links_LeadToFilesAndHeadings()
    {
        var broken = from page in Pages
                     from link in LinkPattern().Matches(File.ReadAllText(page)).Select(m => m.Groups[1].Value)
                     where !link.Contains("://", StringComparison.Ordinal) && !link.StartsWith("mailto:", StringComparison.Ordinal) && !Leads(page, link)
                     select $"{Path.GetRelativePath(Repository.Root, page)}: {link}";

        Assert.That(Pages, Has.Length.GreaterThan(30));
        Assert.That(broken, Is.Empty);
    }

    [Test]
    public void Tests_ThatOwnerPagesName_AreThere()
    {
        var tests = typeof(DocumentLinksTests).Assembly.GetTypes().SelectMany(t => t.GetMethods().Select(m => $"{t.Name}.{m.Name}").Prepend(t.Name))
            .ToHashSet(StringComparer.Ordinal);
        var missing = from page in Directory.EnumerateFiles(Repository.File("docs/owner"), "*.md").Append(Repository.File("README.md"))
                      from name in TestPattern().Matches(File.ReadAllText(page)).Select(m => m.Groups[1].Value)
                      where !tests.Contains(name)
                      select $"{Path.GetFileName(page)}: {name}";

        Assert.That(missing, Is.Empty);
    }

    private static bool Leads(string page, string link)
    {
        var parts = link.Split('#');
        var target = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        if (parts.Length == 1) return Path.Exists(target);
        return File.Exists(target) && File.ReadLines(target).Where(l => l.StartsWith('#')).Any(l => Anchor(l) == parts[1]);
    }

    /// <summary>As GitHub makes it: lower case, blanks to hyphens, punctuation away.</summary>
    private static string Anchor(string heading) =>
        string.Concat(heading.TrimStart('#').Trim().ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')
            .Select(c => c == ' ' ? '-' : c));

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex LinkPattern();

    [GeneratedRegex("`([A-Z][A-Za-z0-9]+Tests(?:\\.[A-Za-z0-9_]+)?)`")]
    private static partial Regex TestPattern();
}
