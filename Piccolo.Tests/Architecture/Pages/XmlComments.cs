using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Piccolo.Tests.Architecture.Pages;

/// <summary>Summaries of types and properties, as Markdown, from the XML files that the compiler writes beside the assemblies.</summary>
internal sealed partial class XmlComments(params Assembly[] assemblies)
{
    private readonly Dictionary<string, XElement> _summaries = assemblies
        .SelectMany(a => XDocument.Load(Path.ChangeExtension(a.Location, ".xml")).Descendants("member"))
        .Where(m => m.Element("summary") is not null)
        .ToDictionary(m => m.Attribute("name")!.Value, m => m.Element("summary")!);

    /// <summary>Empty where the type has no summary.</summary>
    public string Of(Type type) => Text($"T:{type.FullName}");

    /// <inheritdoc cref="Of(Type)"/>
    public string Of(PropertyInfo property) => Text($"P:{property.DeclaringType!.FullName}.{property.Name}");

    private string Text(string member) =>
        _summaries.TryGetValue(member, out var summary) ? Blanks().Replace(string.Concat(summary.Nodes().Select(Markdown)), " ").Trim() : "";

    private static string Markdown(XNode node) => node switch
    {
        XElement { Name.LocalName: "see" } see => $"`{see.Attribute("cref")!.Value.Split('.')[^1]}`",
        XElement { Name.LocalName: "c" } code => $"`{code.Value}`",
        XText text => text.Value,
        _ => throw new NotSupportedException($"The settings page has no form for {node}."),
    };

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}
