using Piccolo.Core.Apps.Import.Model;
using Piccolo.Core.Apps.Import.Reading;
using Piccolo.Core.Apps.Manifest.Notation;
using Piccolo.Core.Apps.Manifest.Reading;

namespace Piccolo.Core.Apps.Import.Fields;

/// <summary>Variables of a service. What they mean, such as secrets, is seen when all services are read.</summary>
internal static class EnvironmentKeys
{
    private const string To = "environment";
    private const int MaxVariables = 4096;

    public static void Environment(ImportContext context, ServicePlan service, Field field)
    {
        if (field.Value is ManifestNode.Scalar)
        {
            context.Report.Add(field, ImportVerdict.Dropped, "It holds no variables.");
            return;
        }
        foreach (var item in field.Items())
        {
            if (item.Value is not ManifestNode.Scalar scalar)
                context.Report.Add(item, ImportVerdict.Dropped, $"A variable has a single value, not {item.Value.Shape}.");
            else if (field.Value is ManifestNode.Mapping) Take(context, service, item, item.Key, ComposeValues.TextOf(scalar));
            else if (scalar.Text.IndexOf('=', StringComparison.Ordinal) is >= 0 and var at)
                Take(context, service, item, scalar.Text[..at], scalar.Text[(at + 1)..]);
            else Take(context, service, item, scalar.Text, null);
        }
    }

    /// <summary>Read before all other variables, which replace those of files.</summary>
    public static void Files(ImportContext context, ServicePlan service, Field field)
    {
        if (field.Value is ManifestNode.Scalar) File(context, service, field, field, isRequired: true);
        foreach (var item in field.Items())
            File(context, service, item, item.Find("path") ?? item, isRequired: item.Find("required") is not { } required || context.Truth(required) != false);
    }

    private static void File(ImportContext context, ServicePlan service, Field field, Field path, bool isRequired)
    {
        var name = path.Value is ManifestNode.Scalar scalar ? context.HostPath(scalar.Text, path).Trim() : "";
        if (context.Companion(name) is not { } text)
        {
            if (isRequired && name.Length > 0) context.Missing(name, field, "Variables of a service stand in it.");
            context.Report.Add(field, isRequired ? ImportVerdict.Asked : ImportVerdict.Dropped,
                isRequired ? $"The file '{ImportContext.Shown(name)}' is not here: import again with it."
                    : "The file is not here, and the service does not need it.");
            return;
        }
        try
        {
            foreach (var (variable, value) in EnvironmentFile.Read(text, context.Value).Values)
                if (Fits(variable, value)) Set(context, service, new Variable(variable, field.Path, field.Line) { Text = value });
        }
        catch (FormatException)
        {
            throw new ImportFaultException(field.Path, field.Line, "The file of variables is too large, or becomes so once they are filled in.");
        }
        context.Report.Add(field, ImportVerdict.Translated, "Its variables stand in the manifest.", To);
    }

    private static void Take(ImportContext context, ServicePlan service, Field item, string name, string? given)
    {
        name = name.Trim();
        // Without a value it is that of the environment.
        var value = given is null ? Inherited(context, name, item) : context.Text(given, item);
        if (value is null)
        {
            context.Report.Add(item, ImportVerdict.Dropped, "It has no value in the environment file, and stays unset.");
            return;
        }
        if (!Fits(name, value))
        {
            context.Report.Add(item, ImportVerdict.Dropped,
                $"The manifest's variables have names of letters, digits and '_', and at most {ManifestLimits.VariableLength} plain characters.");
            return;
        }
        context.Report.Add(item, ImportVerdict.Taken, "As the file has it.", $"{To}.{name}");
        Set(context, service, new Variable(name, item.Path, item.Line) { Text = value });
    }

    private static string? Inherited(ImportContext context, string name, Field item) =>
        name == "TZ" || context.Value(name) is not null ? context.Text($"${{{name}-}}", item) : null;

    private static void Set(ImportContext context, ServicePlan service, Variable variable)
    {
        if (++context.VariableCount > MaxVariables)
            throw new ImportFaultException(variable.Path, variable.Line, $"All services have more than {MaxVariables} variables.");
        service.Environment.RemoveAll(v => v.Name == variable.Name);
        if (service.Environment.Count < ManifestLimits.Variables) service.Environment.Add(variable);
    }

    private static bool Fits(string name, string value) =>
        name.Length is > 0 and <= ManifestLimits.VariableNameLength && ManifestPatterns.IsVariableName().IsMatch(name)
        && References.Write(value).Length <= ManifestLimits.VariableLength && !CommandKeys.HasControl(References.Without(value));
}
