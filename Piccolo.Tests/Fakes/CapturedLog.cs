using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Piccolo.Tests.Fakes;

/// <summary>Everything that was logged, as text.</summary>
internal sealed class CapturedLog : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(EventId Id, LogLevel Level, string Text)> _events = new();

    public IReadOnlyCollection<(EventId Id, LogLevel Level, string Text)> Events => _events;

    public string Text => string.Join('\n', _events.Select(e => $"{e.Level} {e.Id.Id}: {e.Text}"));

    public int Count(int id) => _events.Count(e => e.Id.Id == id);

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        _events.Enqueue((eventId, logLevel, formatter(state, exception) + (exception is null ? "" : " " + exception)));

    public void Dispose()
    {
    }
}
