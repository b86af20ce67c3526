namespace Piccolo.Core.Apps.Import;

/// <summary>Nothing can be made of the text as a whole.</summary>
internal sealed class ImportFaultException(string path, int line, string sentence) : Exception(sentence)
{
    public string Path { get; } = path;

    public int Line { get; } = line;
}
