"""Printing objects as kubectl prints them: tables, descriptions, YAML and JSON.

:mod:`.tables` says for each kind which columns it has and what they hold, :mod:`.table` puts
them together; :mod:`.describe` is ``kubectl describe``; :mod:`.output` chooses between formats.
"""
